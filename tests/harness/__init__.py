"""The systems under test, and the tools around them.

`protocol.TestSystem` is what a test may ask of any system under test, and `protocol.CallingSystem` of one
whose phoners it plays by the API. Their implementations:

- `simulated.SimulatedSystem`: virtual time, a simulated network, everything in the test's thread.
  `listening.ListeningSystem` adds users of each role and checks every listener; `staffed.StaffedSystem`
  adds users who sign in by HTTP.
- `exchange.system.ExchangeSystem`: real time and a real Asterisk, the server in the test's event loop.
- `exchange.process.ProcessSystem`: the same, with servers in processes that a test may kill.
- `threaded.BrowserSystem`: real time and a simulated network in a thread, for real browsers.

`databases` makes databases with every table, `processes` runs commands, `waiting` waits in real time.
"""
