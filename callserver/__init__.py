"""callserver: an outbound call server for a charity's telemarketing."""

__version__ = "0.1.0"
