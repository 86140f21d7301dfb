"""The rules of invoices, postings and payments, and nothing but."""
