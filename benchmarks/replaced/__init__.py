"""What medhub is compared with: a patient record as services with libraries alone are written.

These programs run in an environment of their own (`benchmarks.environment`) and import nothing of
medhub. `auth_service` and the Django project (`settings`, `models`, `roles`, `api`, `wsgi`) are one
design: the service asks the auth service who calls, at each request. `local_tokens` is another: it
proves the token itself. They are told where everything is by environment, COMPARISON_….
"""
