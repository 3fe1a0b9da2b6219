# options: --secret API_KEY:api.test
# needs: web
# received: GET /requests Bearer {VALUE} *
# received: GET /httpx Basic {BASIC} *
# received: GET /httpx-async Bearer {VALUE} *
# received: GET /urllib3 Bearer {VALUE} *
# received-no: GET /arrived *{VALUE}*
import asyncio, os, ssl, sys

sys.path.insert(0, '/web')
import httpx, requests, urllib3

key = os.environ['API_KEY']
BASE = f"https://api.test:{os.environ['PORT_HTTPS']}"
bearer = {'Authorization': f'Bearer {key}'}


def show(text):
    print(text.strip().replace(key, '<placeholder>'))


with requests.Session() as session:
    show(session.get(BASE + '/requests', headers=bearer, timeout=20).text)
    show(session.get(BASE + '/away', headers=bearer, timeout=20).text)
    print(len(session.get(BASE + '/files/megabyte').content))
try:
    requests.get(f"https://api.test:{os.environ['PORT_WWW']}/", timeout=20)
except requests.exceptions.SSLError as error:
    print('Hostname mismatch' in str(error))
show(urllib3.PoolManager().request('GET', BASE + '/urllib3', headers=bearer).data.decode())
with httpx.Client() as client:
    print(client.get(BASE + '/httpx', auth=('user', key)).text.startswith('GET /httpx auth=Basic '))
    show(client.get(BASE + '/away', headers=bearer, follow_redirects=True).text)


async def main():
    async with httpx.AsyncClient() as client:
        show((await client.get(BASE + '/httpx-async', headers=bearer)).text)
        answers = await asyncio.gather(*[client.get(f'{BASE}/{i}') for i in range(10)])
        print([answer.text.split()[1] for answer in answers] == [f'/{i}' for i in range(10)])


asyncio.run(main())
