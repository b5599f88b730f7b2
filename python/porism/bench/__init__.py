"""The evaluation harness: streams of problems in library order, the arms that compete on them, and the report.

It is the only source of the word *improves*: what Porism claims about itself is measured here.
"""
