"""Price lists, one file for each region; `pricing.py` reads them."""
