"""One file a page: the ledger and the filters in, facts and tables out."""
