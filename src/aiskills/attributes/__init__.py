"""Branch, region, function, cadre status and period of offers.

Each with its basis, from data tables, column-wise.
"""
