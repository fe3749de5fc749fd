"""A real Asterisk, real SIP telephones and real sound, for the tests that want them."""
