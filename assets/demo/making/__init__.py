"""Makes the demo builders' files again, byte for byte: `python -m assets.demo.making`.

Everything is drawn from a seed; the made files are kept in the repository beside this package. The people and
companies are made up.
"""
