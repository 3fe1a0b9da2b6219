# options: --allow-net 127.0.0.1 --net-connections 2 --net-total 5 --net-bytes-in 100K --net-bytes-out 64K --net-connect-time 5s --net-idle-time 300ms
# What each limit of the network says to the program.
import os
import socket


def connect(name):
    return socket.create_connection(("127.0.0.1", int(os.environ["PORT_" + name.upper()])))


def attempt(what, function):
    try:
        function()
    except OSError as error:
        print(f"{what}: {error.strerror}")
    else:
        print(f"{what}: nothing was said")


first, second = connect("echo"), connect("echo")
attempt("a third at once", lambda: connect("echo"))
second.close()


def send_much():
    while True:
        first.sendall(bytes(10_000))
        first.recv(10_000)


attempt("sent too much", send_much)
first.close()

quiet = connect("stall")
attempt("no byte for long", lambda: quiet.recv(1))
quiet.close()

flood = connect("flood")


def read_all():
    while flood.recv(65536):
        pass


attempt("received too much", read_all)
flood.close()
connect("echo").close()
attempt("one connection more than all", lambda: connect("echo"))
