"""The simulator: the real engine and adapters, a real database and the sandboxes of both providers in one process.

Time is virtual, the network is a function call, and a seed decides who does what and what goes wrong where. The same
seed gives the same world; `python -m tests.simulation --seed N --worlds 1 --tell` replays one and tells its story.
"""
