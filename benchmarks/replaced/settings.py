"""The Django project: what an API with PostgreSQL needs, and no more.

Sessions, messages, CSRF and the admin site, which a new project has, are left out: an API behind
bearer tokens does without, and each call is cheaper for it.
"""

import os

from psycopg.conninfo import conninfo_to_dict

_DATABASE = conninfo_to_dict(os.environ["COMPARISON_DATABASE_URL"])

SECRET_KEY = os.environ["COMPARISON_DJANGO_KEY"]
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "benchmarks.replaced.api"
INSTALLED_APPS = ["benchmarks.replaced"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _DATABASE["dbname"],
        "USER": _DATABASE["user"],
        "PASSWORD": _DATABASE["password"],
        "HOST": _DATABASE["host"],
        "PORT": _DATABASE["port"],
        # Seconds that a thread keeps its connection; as set where PostgreSQL is asked often.
        "CONN_MAX_AGE": 600,
    }
}
AUTH_URL = os.environ.get("COMPARISON_AUTH_URL", "")
# Whether one HTTP client serves all calls of a worker, or each call makes its own.
SHARES_CLIENT = os.environ.get("COMPARISON_SHARES_CLIENT") == "yes"
