"""The application as DBOS knows it, whose workflows all gateways share."""

import sqlalchemy as sa
from dbos import DBOSClient

APPLICATION = "etbgm"

APPLICATION_VERSION = "1"
"""DBOS runs only jobs of the same version. Raise it when the durable steps change, and let jobs of the
old version end before the last gateway of that version is replaced."""


def new_client(database: sa.Engine) -> DBOSClient:
    """Returns a client that queues workflows, also within transactions of the job database."""
    return DBOSClient(system_database_engine=database, application_name=APPLICATION)
