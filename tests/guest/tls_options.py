# What a program can ask of ssl without a network: what is not supported raises and says why, what is
# too much for the host is an exception, too.
import ssl

ENCRYPTED = """-----BEGIN CERTIFICATE-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF

AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
-----END CERTIFICATE-----
"""
context = ssl.create_default_context()


def attempt(what, function, *arguments):
    try:
        print(f'{what}: {function(*arguments)!r}')
    except Exception as error:
        print(f'{what}: {type(error).__name__}: {error}')


def put(name, value):
    attempt(f'{name} = {value!r}', setattr, context, name, value)


def connect(host):
    made = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=host)
    return made.server_hostname


# Keys.
attempt('keylog_filename', lambda: context.keylog_filename)
put('keylog_filename', 'keys')
put('keylog_filename', None)
print('has it', hasattr(context, 'keylog_filename'))
attempt('psk', context.set_psk_client_callback, print)
put('post_handshake_auth', True)
attempt('encrypted', context.load_verify_locations, None, None, ENCRYPTED)
print('the host kept', input())

# Ciphers and versions.
for ciphers in 'AES\0x', 'A' * 5000, '', 'nonsense', 'ALL:@SECLEVEL=0', 'ECDHE+AESGCM:@SECLEVEL=1':
    attempt(f'ciphers {ciphers[:20]!r}', context.set_ciphers, ciphers)
print(context.security_level)
for version in 0x301, 5:
    put('minimum_version', version)
for options in -1, 1 << 40:
    put('options', options)
put('verify_flags', -1)
attempt('TLSv1', ssl.SSLContext, ssl.PROTOCOL_TLSv1)

# Sizes.
attempt('alpn', context.set_alpn_protocols, ['x' * 250] * 5)
attempt('long alpn', context.set_alpn_protocols, ['x' * 256])
attempt('much PEM', context.load_verify_locations, None, None, '-----BEGIN' * 300_000)
attempt('much DER', context.load_verify_locations, None, None, b'x' * 3_000_000)
print(context.cert_store_stats())

# Names.
for host in ('api.example.org', 'b\xfccher.example', '127.0.0.1', '::1', 'a\0b', '', '.example.org', 'a..b',
             'x' * 300, 'y' * 64 + '.org', 'z.' * 126 + 'z', '\ud800'):
    attempt(f'host {host[:16]!a}', connect, host)
