"""python -m callserver"""

from callserver.cli import main

main()
