// The room on Node.js and `ws`, as its documentation shows a broadcast: one process, no deflate.
// BATCH_MS=0 sends every message by itself; otherwise everything of so many ms goes in one frame.
import { WebSocketServer } from 'ws'

const batchMs = Number(process.env.BATCH_MS)
const server = new WebSocketServer({
  host: '127.0.0.1',
  port: Number(process.env.PORT),
  perMessageDeflate: false,
})
const KINDS = {
  'chat.send': 'chat.message',
  'product.pin': 'product.pinned',
  'product.unpin': 'product.unpinned',
}
let seq = 0
let waiting = []

function broadcast(value) {
  // Encoded once; a Buffer spares `ws` from encoding the text again for every socket.
  const frame = Buffer.from(JSON.stringify(value))
  for (const socket of server.clients) {
    if (socket.readyState === 1) socket.send(frame, { binary: false })
  }
}

function tell(event) {
  if (batchMs) waiting.push(event)
  else broadcast({ from: event.seq, to: event.seq, events: [event] })
}

function tick() {
  if (!waiting.length) return
  const events = waiting
  waiting = []
  broadcast({ from: events[0].seq, to: events.at(-1).seq, events })
}

server.on('connection', (socket) => {
  socket.on('message', (bytes) => {
    const { id, do: command, data } = JSON.parse(bytes)
    if (id === undefined) {
      socket.send(JSON.stringify({ hello: { epoch: '0', seq } }))
      return
    }
    const said = command === 'chat.send'
    seq += 1
    socket.send(JSON.stringify({ id, ok: { seq } }))
    tell({
      seq,
      at: new Date().toISOString(),
      type: KINDS[command],
      data: said ? { ...data, name: 'Li', user_id: '0198c0de-0000-7000-8000-000000000001', role: 'viewer' } : data,
    })
  })
  socket.on('error', () => {})
})
if (batchMs) setInterval(tick, batchMs)
server.on('listening', () => console.log('ready'))
