"""Egress says what happened to a file and can only be added to; replies leave the ledger.

Revision ID: 0003
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

from ftbridge.jobs.ledger.replies import Replies

revision = "0003"
down_revision = "0002"

_APPEND_ONLY = """
create trigger egress_no_{verb} before {verb} on egress
begin select raise(abort, 'the egress ledger can only be added to'); end
"""


def upgrade() -> None:
    op.add_column("egress", sa.Column("action", sa.String(), nullable=False, server_default="sent"))
    for verb in ("update", "delete"):
        op.execute(_APPEND_ONLY.format(verb=verb))
    _move_replies(op.get_bind())
    op.drop_column("eval_calls", "reply")
    op.add_column("eval_calls", sa.Column("evaluation_id", sa.String(), nullable=True))
    op.create_index("eval_calls_evaluation", "eval_calls", ["evaluation_id"], unique=False)


def _move_replies(connection: sa.Connection) -> None:
    """What models said may repeat the data they were tuned on: it goes into files of its own."""
    path = connection.exec_driver_sql("pragma database_list").all()[0][2]  # main
    replies = Replies(Path(path).parent)
    for content, reply in connection.exec_driver_sql("select content, reply from eval_calls"):
        replies.write(content, reply)
