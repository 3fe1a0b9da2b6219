"""placeholder"""
def run(sdk, arguments):
    return 1
