# timeout: 1
# No handler can catch the end of the time limit.
print('before', flush=True)
while True:
    try:
        while True:
            pass
    except BaseException:
        print('caught')
    finally:
        print('finally')
