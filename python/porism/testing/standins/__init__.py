"""Programs that stand in for provers: ``porism.testing.StandIn`` says how they are started.

They use nothing but the standard library, and little of that, since a test starts many of them.
"""
