// Sends records with one Go client: CLIENT BROKER TOPIC CODEC, "key<TAB>value" lines on standard input.
//
// Clients are franz-go, sarama, kafka-go and, after a dot, another partitioner of theirs. CODEC is none, gzip, snappy,
// lz4 or zstd, or "default" for whatever the client does by itself. Nothing else is set but what a program has to.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/IBM/sarama"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"
)

type record struct{ key, value string }

func main() {
	if len(os.Args) != 5 {
		log.Fatal("usage: producers CLIENT BROKER TOPIC CODEC < lines")
	}
	client, broker, topic, codec := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	var records []record
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), "\t")
		records = append(records, record{key, value})
	}
	name, partitioner, _ := strings.Cut(client, ".")
	send := map[string]func(string, string, string, string, []record) error{
		"franz-go": franz, "sarama": ibm, "kafka-go": segmentio,
	}[name]
	if send == nil {
		log.Fatalf("no client %q", client)
	}
	if err := send(partitioner, broker, topic, codec, records); err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(records))
}

func franz(_, broker, topic, codec string, records []record) error {
	options := []kgo.Opt{kgo.SeedBrokers(broker), kgo.DefaultProduceTopic(topic)}
	if codec != "default" {
		options = append(options, kgo.ProducerBatchCompression(map[string]kgo.CompressionCodec{
			"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
			"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
		}[codec]))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	var sent []*kgo.Record
	for _, one := range records {
		sent = append(sent, &kgo.Record{Key: []byte(one.key), Value: []byte(one.value)})
	}
	return client.ProduceSync(context.Background(), sent...).FirstErr()
}

func ibm(partitioner, broker, topic, codec string, records []record) error {
	config := sarama.NewConfig()
	config.Producer.Return.Successes = true // SyncProducer demands it
	switch partitioner {
	case "reference":
		config.Producer.Partitioner = sarama.NewReferenceHashPartitioner
	case "crc":
		config.Producer.Partitioner = sarama.NewConsistentCRCHashPartitioner
	case "murmur2":
		config.Producer.Partitioner = sarama.NewMurmur2Partitioner
	}
	if codec != "default" {
		config.Producer.Compression = map[string]sarama.CompressionCodec{
			"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
			"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
		}[codec]
	}
	producer, err := sarama.NewSyncProducer([]string{broker}, config)
	if err != nil {
		return err
	}
	defer producer.Close()
	var sent []*sarama.ProducerMessage
	for _, one := range records {
		sent = append(sent, &sarama.ProducerMessage{
			Topic: topic, Key: sarama.StringEncoder(one.key), Value: sarama.StringEncoder(one.value),
		})
	}
	return producer.SendMessages(sent)
}

func segmentio(partitioner, broker, topic, codec string, records []record) error {
	writer := &kafka.Writer{Addr: kafka.TCP(broker), Topic: topic}
	switch partitioner {
	case "hash":
		writer.Balancer = &kafka.Hash{}
	case "reference":
		writer.Balancer = &kafka.ReferenceHash{}
	case "crc":
		writer.Balancer = kafka.CRC32Balancer{}
	case "murmur2":
		writer.Balancer = kafka.Murmur2Balancer{}
	}
	if codec != "default" && codec != "none" {
		writer.Compression = map[string]kafka.Compression{
			"gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd,
		}[codec]
	}
	var sent []kafka.Message
	for _, one := range records {
		sent = append(sent, kafka.Message{Key: []byte(one.key), Value: []byte(one.value)})
	}
	if err := writer.WriteMessages(context.Background(), sent...); err != nil {
		return err
	}
	return writer.Close()
}
