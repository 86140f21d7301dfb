"""The billing service: invoices, the ledger they are posted to, and payments.

It owns what is charged and what was paid. It never reads a record: whom an invoice is for is a
name to it, and who may bill is decided by permission, not by care links.
"""
