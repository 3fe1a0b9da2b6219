# Waiting for another thread, of which there is none, is an exception; with a timeout it ends.
import _thread
import contextlib
import queue
import threading


def wait(what, call):
    try:
        print(what, call())
    except (RuntimeError, queue.Empty, queue.Full) as error:
        print(what, type(error).__name__, str(error)[:46])


for _ in range(2):  # the interpreter goes on, and it happens again
    lock = threading.Lock()
    lock.acquire()
    wait('lock', lock.acquire)
    wait('lock, timeout', lambda: lock.acquire(timeout=0.01))
    wait('not blocking', lambda: lock.acquire(False))
    lock.release()
    wait('released', lock.acquire)
    wait('queue', queue.Queue().get)
    wait('queue, timeout', lambda: queue.Queue().get(timeout=0.01))
    full = queue.Queue(1)
    full.put(1)
    wait('full queue', lambda: full.put(2))
    wait('simple queue', queue.SimpleQueue().get)
    wait('event', threading.Event().wait)
    wait('barrier', threading.Barrier(2).wait)
    wait('semaphore', threading.Semaphore(0).acquire)
    condition = threading.Condition()
    with contextlib.suppress(RuntimeError), condition:
        condition.wait()
    print('condition', condition._is_owned())
    allocated = _thread.allocate_lock()
    allocated.acquire()
    wait('_thread', allocated.acquire)
