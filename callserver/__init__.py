"""callserver: an outbound call server for a charity's telemarketing."""

from callserver import time_zones

__version__ = "0.1.0"

time_zones.take_the_newer()
