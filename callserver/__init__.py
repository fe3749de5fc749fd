"""callserver: the outbound call server of a charity's telemarketing house."""

__version__ = "0.1.0"
