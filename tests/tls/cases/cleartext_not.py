# options: --secret API_KEY:api.test
# received-no: *{VALUE}*
import os, urllib.request

key = os.environ['API_KEY']
request = urllib.request.Request(f"http://api.test:{os.environ['PORT_HTTP']}/plain",
                                 headers={'Authorization': f'Bearer {key}'})
print(urllib.request.urlopen(request).read().decode().strip().replace(key, '<placeholder>'))
