eryx --verison
