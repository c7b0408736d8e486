// Sends records with one Node client: CLIENT BROKER TOPIC CODEC, "key<TAB>value" lines on standard input.
//
// Clients are kafkajs and platformatic and, after a dot, another partitioner of theirs. CODEC is none, gzip, snappy, lz4
// or zstd as far as the client has it, or "default" for whatever it does by itself.
import { readFileSync } from 'node:fs'

const [client, broker, topic, codec] = process.argv.slice(2)
const [name, partitioner] = client.split('.')
const records = readFileSync(0, 'utf8').split('\n').filter(Boolean).map(line => {
  const at = line.indexOf('\t')
  return { key: line.slice(0, at), value: line.slice(at + 1) }
})

if (name === 'kafkajs') {
  const { CompressionTypes, Kafka, Partitioners, logLevel } = (await import('kafkajs')).default
  const kafka = new Kafka({ clientId: 'producers', brokers: [broker], logLevel: logLevel.ERROR })
  // what it does by itself; named only because it otherwise warns that this was another one before 2.0
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  const compression = codec === 'gzip' ? { compression: CompressionTypes.GZIP } : {}
  await producer.send({ topic, messages: records, ...compression })
  await producer.disconnect()
} else if (name === 'platformatic') {
  const { Producer, compatibilityPartitioner, stringSerializers } = await import('@platformatic/kafka')
  const producer = new Producer({
    clientId: 'producers',
    bootstrapBrokers: [broker],
    serializers: stringSerializers,
    ...(codec === 'default' ? {} : { compression: codec }),
    ...(partitioner === 'compatible' ? { partitioner: compatibilityPartitioner } : {})
  })
  await producer.send({ messages: records.map(record => ({ topic, ...record })) })
  await producer.close()
} else {
  throw new Error(`no client ${client}`)
}
console.log(records.length)
