/* TLS of programs, against a server in memory: the network is a callback that takes and gives
 * encrypted bytes, so nothing here needs a socket. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "python_runtime.h"
#include "sandbox/sandbox.h"
#include "signals.h"
#include "tls_peer.h"

static const char value[] = "sk-live-4eC39HqLyjWDarjtT1zdp7dc";

static tls_authority_t *trusted, *other;
static tls_peer_t *peer;

/* wire(data=hex): encrypted bytes to the server, its answer. */
static void on_wire(void *env, eryx_call_t *call) {
    (void)env;
    static char answer[400000];
    static unsigned char in[200000], out[190000];
    const char *text = strchr(eryx_call_arguments(call, NULL), ':');
    text = strchr(text, '"') + 1;
    size_t length = strcspn(text, "\"") / 2;
    assert_true(length <= sizeof in);
    for (size_t i = 0; i < length; i++)
        sscanf(text + 2 * i, "%2hhx", &in[i]);
    size_t got = tls_peer_exchange(peer, in, length, out, sizeof out);
    char *to = answer;
    *to++ = '"';
    for (size_t i = 0; i < got; i++)
        to += sprintf(to, "%02x", out[i]);
    *to++ = '"';
    eryx_call_complete(call, answer, (size_t)(to - answer), NULL);
    eryx_call_free(call);
}

/* accept(): the server takes a new connection. sent(text=...): it sends text. */
static void on_accept(void *env, eryx_call_t *call) {
    (void)env;
    tls_peer_accept(peer);
    eryx_call_complete(call, "null", 4, NULL);
    eryx_call_free(call);
}

static eryx_sandbox_t *make(const char *authorities, bool with_secret) {
    static const char *const hosts[] = {"api.example.org"};
    eryx_sandbox_options_t options;
    eryx_secret_t secret;
    eryx_callback_t callbacks[2];
    eryx_error_t error = {0, ""};
    eryx_sandbox_options_init(&options);
    eryx_secret_init(&secret);
    eryx_callback_init(&callbacks[0]);
    eryx_callback_init(&callbacks[1]);
    secret.name = "API_KEY";
    secret.value = value;
    secret.hosts = hosts;
    secret.host_count = 1;
    callbacks[0].name = "wire";
    callbacks[0].on_call = on_wire;
    callbacks[1].name = "accept";
    callbacks[1].on_call = on_accept;
    callbacks[0].blocking = callbacks[1].blocking = true;
    options.callbacks = callbacks;
    options.callback_count = 2;
    options.secrets = &secret;
    options.secret_count = with_secret;
    options.tls_authorities_pem = authorities;
    eryx_sandbox_t *sandbox = NULL;
    if (eryx_sandbox_new(runtime, &options, &sandbox, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return sandbox;
}

static const char client[] =
    "import ssl, os\n"
    "class Client:\n"
    "    def __init__(self, host, context=None):\n"
    "        accept()\n"
    "        context = context or ssl.create_default_context()\n"
    "        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()\n"
    "        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=host)\n"
    "        self.run(self.tls.do_handshake)\n"
    "        self.exchange()\n"
    "    def exchange(self):\n"
    "        self.incoming.write(bytes.fromhex(wire(data=self.outgoing.read().hex())))\n"
    "    def run(self, method, *arguments):\n"
    "        for _ in range(20):\n"
    "            try:\n"
    "                return method(*arguments)\n"
    "            except ssl.SSLWantReadError:\n"
    "                self.exchange()\n"
    "            except ssl.SSLError:\n"
    "                self.exchange()\n"
    "                raise\n"
    "        raise TimeoutError('no answer')\n"
    "    def write(self, data):\n"
    "        self.run(self.tls.write, data)\n"
    "    def read(self, count):\n"
    "        data = b''\n"
    "        while len(data) < count:\n"
    "            data += self.run(self.tls.read, count - len(data))\n"
    "        return data\n"
    "def attempt(host, context=None):\n"
    "    try:\n"
    "        Client(host, context)\n"
    "        print('connected')\n"
    "    except Exception as error:\n"
    "        print(type(error).__name__, error)\n"
    "    return None\n"
    "key = os.environ.get('API_KEY', '')\n";

static eryx_sandbox_t *start(const char *authorities, bool with_secret) {
    eryx_sandbox_t *sandbox = make(authorities, with_secret);
    expect(sandbox, client, "");
    return sandbox;
}

static void serve(const tls_authority_t *authority, const char *host, tls_flaw_t flaw, int minimum,
                  int maximum) {
    if (peer)
        tls_peer_free(peer);
    peer = tls_peer_new(authority, host, flaw, minimum, maximum);
}

static void test_connection(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = start(trusted->pem, false);
    serve(trusted, "api.example.org", FLAW_NONE, 0, 0);
    peer->echoes = true;
    expect(sandbox,
           "c = Client('api.example.org')\n"
           "c.write(b'hello'); print(c.read(5))\n"
           "print(c.tls.version(), c.tls.cipher()[1], c.tls.cipher()[2] >= 128, c.tls.pending())\n"
           "cert = c.tls.getpeercert()\n"
           "print(cert['subject'], cert['subjectAltName'], cert['version'], 'GMT' in "
           "cert['notAfter'])\n"
           "der = c.tls.getpeercert(True)\n"
           "print(der[:1], [len(c) for c in c.tls.get_unverified_chain()] == [len(der)],\n"
           "      len(c.tls.get_verified_chain()))\n"
           "print(c.tls.selected_alpn_protocol(), c.tls.compression(), c.tls.session,\n"
           "      len(c.tls.get_channel_binding()) > 8)\n"
           "big = bytes(range(256)) * 40\n"
           "c.write(big); print(c.read(len(big)) == big)\n"
           "print(c.run(c.tls.unwrap))\n"
           "try: c.tls.write(b'more')\n"
           "except ssl.SSLError as e: print(type(e).__name__, e.reason)\n",
           "b'hello'\n"
           "TLSv1.3 TLSv1.3 True 0\n"
           "((('commonName', 'api.example.org'),),) (('DNS', 'api.example.org'),) 3 True\n"
           "b'0' True 2\n"
           "None None None True\n"
           "True\n"
           "None\n"
           "SSLError PROTOCOL_IS_SHUTDOWN\n");
    eryx_sandbox_free(sandbox);
}

static void test_tls12_and_addresses(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = start(trusted->pem, false);
    serve(trusted, "127.0.0.1", FLAW_NONE, TLS1_2_VERSION, TLS1_2_VERSION);
    expect(
        sandbox, "print(Client('127.0.0.1').tls.version())\nattempt('127.0.0.2')\n",
        "TLSv1.2\n"
        "SSLCertVerificationError [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: IP "
        "address mismatch, certificate is not valid for '127.0.0.2'.\n");
    serve(trusted, "::1", FLAW_NONE, 0, 0);
    expect(sandbox, "print(Client('::1').tls.getpeercert()['subjectAltName'])",
           "(('IP Address', '::1'),)\n");
    eryx_sandbox_free(sandbox);
}

static void test_bad_certificates(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = start(trusted->pem, false);
    serve(trusted, "api.example.org", FLAW_NONE, 0, 0);
    expect(sandbox, "attempt('www.example.org')\nattempt('api.example.org')\n",
           "SSLCertVerificationError [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
           "Hostname mismatch, certificate is not valid for 'www.example.org'.\nconnected\n");
    serve(trusted, "*.example.org", FLAW_NONE, 0, 0);
    expect(
        sandbox, "attempt('api.example.org')\nattempt('a.b.example.org')\n",
        "connected\nSSLCertVerificationError [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify "
        "failed: Hostname mismatch, certificate is not valid for 'a.b.example.org'.\n");
    serve(trusted, "api.example.org", FLAW_EXPIRED, 0, 0);
    expect(sandbox, "attempt('api.example.org')\n",
           "SSLCertVerificationError [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
           "certificate has expired\n");
    serve(trusted, "api.example.org", FLAW_SELF_SIGNED, 0, 0);
    expect(sandbox,
           "attempt('api.example.org')\n"
           "try: Client('api.example.org')\n"
           "except ssl.SSLError as e: print(e.verify_code, e.library, e.reason, isinstance(e, "
           "ValueError))\n"
           "loose = ssl.create_default_context()\nloose.check_hostname = False\n"
           "loose.verify_mode = ssl.CERT_NONE\nattempt('other.example.org', loose)\n"
           "print(Client('api.example.org', loose).tls.getpeercert())\n",
           "SSLCertVerificationError [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
           "self-signed certificate\n18 SSL CERTIFICATE_VERIFY_FAILED True\nconnected\n{}\n");
    serve(other, "api.example.org", FLAW_NONE, 0, 0);
    char code[2048];
    snprintf(code, sizeof code,
             "attempt('api.example.org')\nattempt('api.example.org', "
             "ssl.create_default_context(cadata='''%s'''))\n",
             other->pem);
    expect(sandbox, code,
           "SSLCertVerificationError [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "
           "unable to get local issuer certificate\nconnected\n");
    eryx_sandbox_free(sandbox);
}

/* More files than the host takes objects for one context. */
static void test_folder_of_authorities(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = start(NULL, false);
    serve(other, "api.example.org", FLAW_NONE, 0, 0);
    char code[4096];
    snprintf(
        code, sizeof code,
        "os.mkdir('/tmp/authorities')\n"
        "for i in range(100):\n"
        "    open(f'/tmp/authorities/{i}.pem', 'w').write(f'{i}\\n' + '''%s''')\n"
        "folder = ssl.create_default_context(capath='/tmp/authorities')\n"
        "attempt('api.example.org', folder)\n"
        "for i in range(100): folder.load_verify_locations(f'/tmp/authorities/{i}.pem')\n"
        "attempt('api.example.org', folder)\n"
        "print(folder.cert_store_stats())\n"
        "try:\n"
        "    for i in range(99): folder.load_verify_locations(cadata=f'{i}\\n' + '''%s''' * 20)\n"
        "except ssl.SSLError as e: print(e.reason)\n"
        "attempt('api.example.org', folder)\n",
        other->pem, other->pem);
    expect(sandbox, code,
           "connected\nconnected\n{'x509': 200, 'crl': 0, 'x509_ca': 200}\n"
           "TOO_MANY_CERTIFICATES\nconnected\n");
    eryx_sandbox_free(sandbox);
}

static void test_old_versions(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = start(trusted->pem, false);
    serve(trusted, "api.example.org", FLAW_NONE, TLS1_VERSION, TLS1_1_VERSION);
    expect(sandbox,
           "attempt('api.example.org')\n"
           "c = ssl.create_default_context()\n"
           "for name in 'TLSv1', 'TLSv1_1', 'SSLv3':\n"
           "    try: c.minimum_version = ssl.TLSVersion[name]\n"
           "    except (ValueError, NotImplementedError) as e: print(type(e).__name__, e)\n"
           "c.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED\n"
           "attempt('api.example.org', c)\n",
           "SSLError [SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version\n"
           "ValueError Unsupported TLS version 0x301: TLS 1.2 is the oldest here\n"
           "ValueError Unsupported TLS version 0x302: TLS 1.2 is the oldest here\n"
           "NotImplementedError SSLv3 and compression cannot be turned on\n"
           "SSLError [SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version\n");
    eryx_sandbox_free(sandbox);
}

static void test_unsupported_options_raise(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = start(trusted->pem, false);
    expect(sandbox,
           "c = ssl.create_default_context()\n"
           "def no(what):\n"
           "    try: exec(what)\n"
           "    except Exception as e: print(type(e).__name__)\n"
           "    else: print('nothing raised:', what)\n"
           "no('c.load_cert_chain(\"a.pem\")')\n"
           "no('ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)')\n"
           "no('c.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)')\n"
           "no('c.set_servername_callback(print)')\n"
           "no('c.options |= ssl.OP_LEGACY_SERVER_CONNECT')\n"
           "no('c.options &= ~ssl.OP_NO_COMPRESSION')\n"
           "no('c.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF')\n"
           "no('c.keylog_filename = \"keys\"')\n"
           "no('c.post_handshake_auth = True')\n"
           "no('c.set_ecdh_curve(\"prime256v1\")')\n"
           "no('c.set_ciphers(\"nonsense\")')\n"
           "no('c.set_ciphers(\"eNULL\")')\n"
           "no('c.load_verify_locations(cadata=\"nonsense\")')\n"
           "no('c.load_verify_locations(cafile=\"/missing\")')\n"
           "no('c.verify_mode = ssl.CERT_NONE')\n"
           "c.set_ciphers('ECDHE+AESGCM'); print(len(c.get_ciphers()) > 1, c.cert_store_stats())\n",
           "NotImplementedError\nNotImplementedError\nNotImplementedError\nNotImplementedError\n"
           "NotImplementedError\nNotImplementedError\nNotImplementedError\nNotImplementedError\n"
           "NotImplementedError\nNotImplementedError\nSSLError\nSSLError\nSSLError\n"
           "FileNotFoundError\nValueError\nTrue {'x509': 0, 'crl': 0, 'x509_ca': 0}\n");
    eryx_sandbox_free(sandbox);
}

static void test_alpn_and_ends(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = start(trusted->pem, false);
    serve(trusted, "api.example.org", FLAW_NONE, 0, 0);
    peer->echoes = true;
    expect(sandbox,
           "x = ssl.create_default_context(); x.set_alpn_protocols(['h2', 'http/1.1'])\n"
           "c = Client('api.example.org', x); print(c.tls.selected_alpn_protocol())\n"
           "c.incoming.write_eof()\n"
           "try: print(c.tls.read())\n"
           "except ssl.SSLError as e: print(type(e).__name__)\n"
           "x.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF\n"
           "c = Client('api.example.org', x); c.incoming.write_eof()\n"
           "try: print(c.tls.read())\n"
           "except ssl.SSLError as e: print(type(e).__name__)\n"
           "c = Client('api.example.org'); c.incoming.write(b'garbage' * 9)\n"
           "try: print(c.tls.read())\n"
           "except ssl.SSLError as e: print(type(e).__name__, e.reason)\n",
           "h2\nb''\nSSLEOFError\nSSLError WRONG_VERSION_NUMBER\n");
    assert_string_equal(peer->hello_alpn, "");
    eryx_sandbox_free(sandbox);
}

/* --- Secrets ------------------------------------------------------------------------------ */

static void test_secret_is_put_in_and_taken_out(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = start(trusted->pem, true);
    serve(trusted, "api.example.org", FLAW_NONE, 0, 0);
    peer->echoes = true;
    expect(sandbox,
           "c = Client('api.example.org')\n"
           "text = f'GET / HTTP/1.1\\r\\nAuthorization: Bearer {key}\\r\\n\\r\\n'.encode()\n"
           "c.write(text); print(c.read(len(text)) == text)\n",
           "True\n");
    assert_non_null(strstr(peer->received, value));
    expect(sandbox,
           "c = Client('api.example.org')\n"
           "for byte in text: c.write(bytes([byte]))\n"
           "print(c.read(len(text)) == text)\n",
           "True\n");
    assert_non_null(strstr(peer->received, value));
    expect(
        sandbox,
        "import base64\n"
        "c = Client('api.example.org')\n"
        "text = b'Authorization: Basic ' + base64.b64encode(f'user:{key}'.encode()) + b'\\r\\n'\n"
        "c.write(text); print(c.read(len(text)) == text)\n",
        "True\n");
    assert_non_null(
        strstr(peer->received, "dXNlcjpzay1saXZlLTRlQzM5SHFMeWpXRGFyanRUMXpkcDdkYw==\r\n"));
    peer->echo_piece = 1;
    expect(sandbox,
           "c = Client('api.example.org')\n"
           "text = f'key={key}&n=1'.encode()\n"
           "c.write(text); print(c.read(len(text)) == text)\n",
           "True\n");
    assert_non_null(strstr(peer->received, value));
    eryx_sandbox_free(sandbox);
}

/* Each byte of the answer is asked for as soon as it comes: three bytes are all that is shown. */
static void test_answers_in_pieces(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = start(trusted->pem, true);
    serve(trusted, "api.example.org", FLAW_NONE, 0, 0);
    peer->echoes = true;
    peer->echo_piece = 1;
    expect(sandbox,
           "c = Client('api.example.org')\n"
           "c.write(key.encode() + b'\\n'); c.exchange()\n"
           "data = c.incoming.read(); seen = b''\n"
           "while data:\n"
           "    size = 5 + int.from_bytes(data[3:5]); c.incoming.write(data[:size]); data = "
           "data[size:]\n"
           "    try: seen += c.tls.read(100)\n"
           "    except ssl.SSLWantReadError: pass\n"
           "print(len(seen), seen[3:-1] == key[3:].encode(), seen[:3])\n",
           "33 True b'sk-'\n");
    eryx_sandbox_free(sandbox);
}

static void never_sent(eryx_sandbox_t *sandbox, const char *code) {
    expect(sandbox, code, "sent\n");
    if (strstr(peer->received, "live-4eC39"))
        fail_msg("the value went out: %s", code);
    assert_int_equal(peer->received_length, 32);
}

static void test_secret_stays_where_it_must(void **state) {
    (void)state;
    char code[2048];
    eryx_sandbox_t *sandbox = start(trusted->pem, true);
    serve(trusted, "www.example.org", FLAW_NONE, 0, 0);
    never_sent(sandbox, "c = Client('www.example.org'); c.write(key.encode())\n"
                        "c.tls._sslobj.flush(); c.exchange(); print('sent')");
    /* The program trusts a server of its own making; the host does not. */
    serve(other, "api.example.org", FLAW_NONE, 0, 0);
    snprintf(code, sizeof code,
             "c = Client('api.example.org', ssl.create_default_context(cadata='''%s'''))\n"
             "c.write(key.encode()); c.tls._sslobj.flush(); c.exchange(); print('sent')",
             other->pem);
    never_sent(sandbox, code);
    serve(trusted, "api.example.org", FLAW_SELF_SIGNED, 0, 0);
    never_sent(sandbox, "loose = ssl._create_unverified_context()\n"
                        "c = Client('api.example.org', loose); c.write(key.encode())\n"
                        "c.tls._sslobj.flush(); c.exchange(); print('sent')");
    /* Another host's good certificate, whose name the program does not check. */
    serve(trusted, "www.example.org", FLAW_NONE, 0, 0);
    never_sent(sandbox, "c = Client('api.example.org', loose); c.write(key.encode())\n"
                        "c.tls._sslobj.flush(); c.exchange(); print('sent')");
    serve(trusted, "api.example.org", FLAW_EXPIRED, 0, 0);
    never_sent(sandbox, "c = Client('api.example.org', loose); c.write(key.encode())\n"
                        "c.tls._sslobj.flush(); c.exchange(); print('sent')");
    /* No name was asked for. */
    serve(trusted, "api.example.org", FLAW_NONE, 0, 0);
    never_sent(sandbox, "c = Client(None, loose); c.write(key.encode())\n"
                        "c.tls._sslobj.flush(); c.exchange(); print('sent')");
    /* The host's own check does not need the program's. */
    expect(sandbox,
           "c = Client('api.example.org', loose); c.write(key.encode())\n"
           "c.tls._sslobj.flush(); c.exchange(); print('sent')",
           "sent\n");
    assert_non_null(strstr(peer->received, value));
    eryx_sandbox_free(sandbox);
}

static void test_no_http2_with_secrets(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = start(trusted->pem, true);
    serve(trusted, "api.example.org", FLAW_NONE, 0, 0);
    expect(sandbox,
           "x = ssl.create_default_context(); x.set_alpn_protocols(['h2', 'http/1.1'])\n"
           "print(Client('api.example.org', x).tls.selected_alpn_protocol())\n",
           "http/1.1\n");
    assert_string_equal(peer->hello_alpn, "http/1.1,");
    serve(trusted, "www.example.org", FLAW_NONE, 0, 0);
    expect(sandbox, "print(Client('www.example.org', x).tls.selected_alpn_protocol())\n", "h2\n");
    eryx_sandbox_free(sandbox);
}

static void test_held_bytes_go_before_waiting(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = start(trusted->pem, true);
    serve(trusted, "api.example.org", FLAW_NONE, 0, 0);
    peer->echoes = true;
    expect(sandbox,
           "c = Client('api.example.org')\n"
           "c.write(b'end E'); c.exchange()\n"
           "print(c.read(5))\n",
           "b'end E'\n");
    assert_string_equal(peer->received, "end E");
    eryx_sandbox_free(sandbox);
}

static void test_compressed_answers_are_not_asked_for(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = start(trusted->pem, true);
    serve(trusted, "api.example.org", FLAW_NONE, 0, 0);
    expect(sandbox,
           "c = Client('api.example.org')\n"
           "c.write(b'GET / HTTP/1.1\\r\\nAccept-Encoding: gzip\\r\\n\\r\\n'); c.exchange()\n",
           "");
    assert_string_equal(peer->received, "GET / HTTP/1.1\r\nAccept-Encoding:     \r\n\r\n");
    eryx_sandbox_free(sandbox);
}

/* All that a checkpoint, a fork or a host that looks would see. */
static void test_memory_never_has_the_value(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = start(trusted->pem, true);
    serve(trusted, "api.example.org", FLAW_NONE, 0, 0);
    peer->echoes = true;
    expect(sandbox,
           "c = Client('api.example.org')\n"
           "text = f'Authorization: Bearer {key}\\r\\n'.encode() * 50\n"
           "c.write(text); print(c.read(len(text)) == text)\n",
           "True\n");
    const memory_slot_t *slot = sandbox->instance->slot;
    const char *placeholder = eryx_sandbox_placeholder(sandbox, "API_KEY");
    assert_non_null(memmem(peer->received, peer->received_length, value, sizeof value - 1));
    /* The poll page at the beginning cannot be read. */
    const uint8_t *base = slot->base + MEMORY_WASM_PAGE;
    size_t size = slot->size - MEMORY_WASM_PAGE;
    assert_non_null(memmem(base, size, placeholder, sizeof value - 1));
    assert_null(memmem(base, size, value + 4, sizeof value - 5));
    eryx_sandbox_free(sandbox);
}

/* --- Life --------------------------------------------------------------------------------- */

static void test_rollback_makes_numbers_stale(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = start(trusted->pem, true);
    serve(trusted, "api.example.org", FLAW_NONE, 0, 0);
    peer->echoes = true;
    expect(sandbox,
           "context = ssl.create_default_context()\nc = Client('api.example.org', context)\n", "");
    signals_restore();
    eryx_outcome_free(run(sandbox, "os.abort()", NULL));
    expect(sandbox,
           "try: c.tls.write(b'x')\n"
           "except ConnectionResetError as e: print('reset')\n"
           "c = Client('api.example.org', context)\n"
           "c.write(key.encode()); print(c.read(32) == key.encode())\n",
           "reset\nTrue\n");
    char code[2048];
    snprintf(code, sizeof code, "context.load_verify_locations(cadata='''%s''')\n", other->pem);
    expect(sandbox, code, "");
    eryx_outcome_free(run(sandbox, "os.abort()", NULL));
    expect(sandbox, "print(context.cert_store_stats()['x509'])\n", "1\n");
    eryx_sandbox_free(sandbox);
}

static void test_many_objects(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = start(trusted->pem, false);
    expect(sandbox,
           "x = ssl.create_default_context()\n"
           "def one(): return x.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname='a.b')\n"
           "for _ in range(10000): one()\n"
           "kept = []\n"
           "try:\n"
           "    for _ in range(10000): kept.append(one())\n"
           "except ssl.SSLError as e: print(e.reason in ('TOO_MANY_OBJECTS', 'MALLOC_FAILURE'))\n"
           "kept.clear(); one(); print('still works')\n",
           "True\nstill works\n");
    eryx_sandbox_free(sandbox);
}

static int set_up(void **state) {
    trusted = tls_authority_new("The trusted authority");
    other = tls_authority_new("Another authority");
    return open_runtime(state);
}

static int tear_down(void **state) {
    if (peer)
        tls_peer_free(peer);
    tls_authority_free(trusted);
    tls_authority_free(other);
    return close_runtime(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connection),
        cmocka_unit_test(test_tls12_and_addresses),
        cmocka_unit_test(test_bad_certificates),
        cmocka_unit_test(test_folder_of_authorities),
        cmocka_unit_test(test_old_versions),
        cmocka_unit_test(test_unsupported_options_raise),
        cmocka_unit_test(test_alpn_and_ends),
        cmocka_unit_test(test_secret_is_put_in_and_taken_out),
        cmocka_unit_test(test_answers_in_pieces),
        cmocka_unit_test(test_secret_stays_where_it_must),
        cmocka_unit_test(test_no_http2_with_secrets),
        cmocka_unit_test(test_held_bytes_go_before_waiting),
        cmocka_unit_test(test_compressed_answers_are_not_asked_for),
        cmocka_unit_test(test_memory_never_has_the_value),
        cmocka_unit_test(test_rollback_makes_numbers_stale),
        cmocka_unit_test(test_many_objects),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
