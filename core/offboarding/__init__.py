"""An organization leaves: everything that a service holds of it is handed over, then destroyed.

What belongs to an organization follows from the tables: all rows of a tenant's table, and of the
others what the service declares. The rows are read as the app role, behind row-level security, and
destroyed as the owner, which no server can.
"""
