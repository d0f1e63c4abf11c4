"""Python's own client, one message at a time, the bytes thrown away. It is given a job."""
import json
import os
import poplib
import ssl
import time

job = json.loads(os.environ["MAILFERRY_BENCH_JOB"])
began = time.monotonic()
trust = ssl.create_default_context(cafile=job["caFile"])
box = poplib.POP3_SSL(job["host"], job["port"], context=trust)
box.user(job["user"])
box.pass_(job["password"])
count, _ = box.stat()
octets = 0
for number in range(1, count + 1):
    _, lines, _ = box.retr(number)
    octets += sum(len(line) + 2 for line in lines)
box.quit()
print(json.dumps({"ms": (time.monotonic() - began) * 1000, "messages": count, "octets": octets}))
