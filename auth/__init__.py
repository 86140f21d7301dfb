"""Auth: who somebody is, where they belong, what they may do, and what is no longer true.

It owns organizations, accounts, memberships, roles, sessions, service accounts and the keys
that sign access tokens, and it streams every change of them. It never sees clinical data.
"""
