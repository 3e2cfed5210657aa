"""A question and an answer as they stand in a dump, and how a dump falls into blocks and rows."""

import io

from procqa.dump.blocks import BLOCK_BYTES, Block, read_blocks, rows_in

QUESTION = (
    b'<row Id="4" PostTypeId="1" AcceptedAnswerId="7" CreationDate="2008-07-31T21:42:52.667" Score="-3"'
    b' ViewCount="20324" Body="&lt;p&gt;a &amp;amp;&amp;lt; &quot;b&quot;&#xA;&lt;/p&gt;" OwnerUserId="8"'
    b' LastEditDate="2014-07-28T10:02:50.557" LastActivityDate="2015-12-20T19:18:38.650" Title="What&#39;s \xc3\xa4?"'
    b' Tags="&lt;c#&gt;&lt;.net&gt;" AnswerCount="13" ContentLicense="CC BY-SA 4.0" />'
)
ANSWER = (
    b'<row Id="7" PostTypeId="2" ParentId="4" CreationDate="2018-05-01T23:59:59.999" Body="yes"'
    b' OwnerDisplayName="user9" ClosedDate="2019-01-01T00:00:00.000" />'
)


def blocks_of(data: bytes, *, block_bytes: int = BLOCK_BYTES) -> list[Block]:
    return list(read_blocks(io.BytesIO(data), name="d.xml", block_bytes=block_bytes))


def rows_of(data: bytes, *, block_bytes: int = BLOCK_BYTES) -> list[tuple[int, bytes]]:
    return [row for block in blocks_of(data, block_bytes=block_bytes) for row in rows_in(block)]
