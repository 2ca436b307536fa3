/**
 * A chat backend as Express and the openai package make one: a write for every delta. No log: nothing can be resumed.
 *
 *     NODE_ENV=production PORT=8000 OPENAI_BASE_URL=... OPENAI_API_KEY=... node express_server.js
 */

import { once } from 'node:events';
import express from 'express';
import OpenAI from 'openai';

const BACKLOG = 2048;
const openai = new OpenAI({ maxRetries: 0 });
const app = express();
app.disable('x-powered-by');
app.disable('etag');

app.post('/chat', express.json({ limit: '16kb' }), async (request, response) => {
  const leaving = new AbortController();
  response.on('close', () => leaving.abort());
  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
  const answer = await openai.chat.completions.create({
    model: 'stand-in',
    messages: [{ role: 'user', content: String(request.body.message) }],
    stream: true,
    stream_options: { include_usage: true },
  }, { signal: leaving.signal });
  for await (const part of answer) {
    const text = part.choices[0]?.delta?.content;
    if (text && !response.write(`data: ${JSON.stringify({ text })}\n\n`)) await once(response, 'drain');
  }
  response.end('event: done\ndata: {}\n\n');
});

app.use((failure, request, response, _next) => {
  if (response.headersSent) response.destroy();
  else response.status(502).json({ error: failure.message });
});

app.listen({ host: '127.0.0.1', port: Number(process.env.PORT), backlog: BACKLOG });
