# options: --allow-net 127.0.0.1
# smtplib and ftplib.
import ftplib
import io
import os
import smtplib
from email.message import EmailMessage

message = EmailMessage()
message['Subject'] = 'from the sandbox'
message['From'] = 'a@example.org'
message['To'] = 'b@example.org'
message.set_content('one\ntwo\n')
with smtplib.SMTP('127.0.0.1', int(os.environ['PORT_SMTP'])) as server:
    print(server.local_hostname)
    print(server.send_message(message))
    print(server.noop())

with ftplib.FTP() as server:
    server.connect('127.0.0.1', int(os.environ['PORT_FTP']))
    server.login('user', 'password')
    out = io.BytesIO()
    print(server.retrbinary('RETR file', out.write), len(out.getvalue()))
