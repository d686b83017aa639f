"""The application: users, a quota, a queue, a model that streams, sockets, and a page."""

import aws_cdk as cdk
from stack.chat import Chat

app = cdk.App()
Chat(app, "streaming-chat", description="Streams a model's answers to users with a quota.")
app.synth()
