"""What the tests run the server in.

`protocol.Harness` is what a test may ask of a server under test. It is implemented four times:

- `tests.house.TestHouse`: virtual time, a simulated network, everything in the test's own thread.
- `tests.exchange.house.ExchangeHouse`: real time beside a real Asterisk, in the test's event loop.
- `tests.exchange.process.ProcessHouse`: the same, its servers in processes that may be killed.
- `tests.browser.conftest.House`: real time and a simulated network in a thread, for real browsers.

`databases` makes databases with every table, `processes` runs commands, `waiting` waits in real time.
"""
