"""How fast aiskills is, beside other ways to find AI terms in job offers, and how good each is.

    make bench AISKILLS_REAL_OFFERS=offers.parquet
    python -m benchmarks --quick

Everything is measured in one go on one machine and written to ``RESULTS.md``; see `benchmarks.run`.
"""
