"""The demonstration: two organizations, their people, and a story told against them.

All of it is invented. Insurance numbers are of the range reserved for tests.
"""
