# Chatbubble under gunicorn, for those who have a gunicorn already: `chatbubble serve --workers 2` does the same.
#   gunicorn -c gunicorn.conf.py 'chatbubble.server:create_app()'      or your own app: shop:app
bind = "127.0.0.1:8000"

# More than one needs CHATBUBBLE_REDIS_URL and a PostgreSQL database in CHATBUBBLE_DATABASE_URL.
workers = 2

# gunicorn's gevent worker with what `chatbubble serve` has: it drains, ends slow requests, notices who leaves. It
# takes as many connections as CHATBUBBLE_MAX_STREAMS says; worker_connections is not looked at.
worker_class = "chatbubble.gunicorn_worker.ChatWorker"

# Longer than CHATBUBBLE_DRAIN_S (10) and 15 seconds: a worker that has not left by then is killed.
graceful_timeout = 40

# Each worker makes the app by itself: gevent has to patch the standard library before Flask comes in.
preload_app = False
