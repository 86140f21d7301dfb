"""The composition root: the `medhub` command, the supervisor and the embedded PostgreSQL.

Only hub knows all services. It starts them, tells them where the others are, and heals what falls
over; it holds no rule of care and reads no patient data.
"""
