package clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.amazonaws.services.dynamodbv2.streamsadapter.AmazonDynamoDBStreamsAdapterClient;
import com.amazonaws.services.dynamodbv2.streamsadapter.StreamsSchedulerFactory;
import com.amazonaws.services.dynamodbv2.streamsadapter.adapter.DynamoDBStreamsClientRecord;
import com.amazonaws.services.dynamodbv2.streamsadapter.model.DynamoDBStreamsProcessRecordsInput;
import com.amazonaws.services.dynamodbv2.streamsadapter.polling.DynamoDBStreamsPollingConfig;
import com.amazonaws.services.dynamodbv2.streamsadapter.processor.DynamoDBStreamsShardRecordProcessor;
import com.amazonaws.services.dynamodbv2.streamsadapter.util.KinesisMapperUtil;
import java.lang.ProcessBuilder.Redirect;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkServiceException;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.BillingMode;
import software.amazon.awssdk.services.dynamodb.model.KeyType;
import software.amazon.awssdk.services.dynamodb.model.OperationType;
import software.amazon.awssdk.services.dynamodb.model.PutRequest;
import software.amazon.awssdk.services.dynamodb.model.Record;
import software.amazon.awssdk.services.dynamodb.model.ReturnValue;
import software.amazon.awssdk.services.dynamodb.model.StreamViewType;
import software.amazon.awssdk.services.dynamodb.model.WriteRequest;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;
import software.amazon.awssdk.regions.providers.DefaultAwsRegionProviderChain;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.exceptions.InvalidStateException;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.processor.RecordProcessorCheckpointer;
import software.amazon.kinesis.retrieval.RetrievalConfig;

/** The Kinesis Client Library, by AWS's adapter for streams, keeps a copy of a table, over roll-overs of shards, a crash of the server, and from one worker to the next. */
class StreamsTest {
  private static final String SOURCE = "clients-java-source";
  private static final String COPY = "clients-java-copy";
  private static final String APPLICATION = "clients-java-kcl";

  private static final Logger adapters = Logger.getLogger("com.amazonaws.services.dynamodbv2.streamsadapter");

  // One try: who tries again must know it, because what was before is what the first try has made.
  private static final DynamoDbClient plain = DynamoDbClient.builder().overrideConfiguration(c -> c.retryStrategy(r -> r.maxAttempts(1))).build();
  private static final DynamoDbAsyncClient leases = DynamoDbAsyncClient.create();
  private static final DynamoDbStreamsClient streams = DynamoDbStreamsClient.create();
  private static final CloudWatchAsyncClient unused = CloudWatchAsyncClient.create();

  /** Of each item, the last change that has been copied: what is delivered once more is not copied once more. */
  private final Map<Map<String, AttributeValue>, BigInteger> copied = new ConcurrentHashMap<>();
  private final Set<String> started = ConcurrentHashMap.newKeySet();
  private final Set<String> ended = ConcurrentHashMap.newKeySet();
  private final Queue<String> faults = new ConcurrentLinkedQueue<>();

  private static AttributeValue s(String value) { return AttributeValue.fromS(value); }
  private static AttributeValue n(int value) { return AttributeValue.fromN(Integer.toString(value)); }

  private static void createTable(String name, boolean stream) {
    plain.createTable(r -> r.tableName(name).billingMode(BillingMode.PAY_PER_REQUEST)
        .attributeDefinitions(a -> a.attributeName("p").attributeType("S"), a -> a.attributeName("s").attributeType("N"))
        .keySchema(k -> k.attributeName("p").keyType(KeyType.HASH), k -> k.attributeName("s").keyType(KeyType.RANGE))
        .streamSpecification(stream ? b -> b.streamEnabled(true).streamViewType(StreamViewType.NEW_AND_OLD_IMAGES) : b -> b.streamEnabled(false)));
    plain.waiter().waitUntilTableExists(r -> r.tableName(name));
  }

  @BeforeAll
  static void quiet() {
    adapters.setLevel(Level.WARNING);
  }

  @AfterAll
  static void close() {
    for (String name : plain.listTablesPaginator().tableNames()) {
      if (name.equals(SOURCE) || name.equals(COPY) || name.startsWith(APPLICATION)) plain.deleteTable(r -> r.tableName(name));
    }
    plain.close();
    leases.close();
    streams.close();
    unused.close();
  }

  /** Until there is an answer other than that of a server that goes down or comes. */
  private static <T> T patiently(Supplier<T> call) {
    for (;;) {
      try {
        return call.get();
      } catch (SdkClientException e) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
      } catch (SdkServiceException e) {
        if (e.statusCode() != 503) throw e;
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
      }
    }
  }

  /** What becomes of the records of one shard. */
  private class Copier implements DynamoDBStreamsShardRecordProcessor {
    private String shard;

    @Override
    public void initialize(InitializationInput input) {
      shard = input.shardId();
      started.add(shard);
      // By this, leases of shards that are gone are deleted, or kept for ever.
      if (Duration.between(KinesisMapperUtil.getShardCreationTime(shard), Instant.now()).abs().toMinutes() > 10) faults.add("when made? " + shard);
    }

    @Override
    public void processRecords(DynamoDBStreamsProcessRecordsInput input) {
      try {
        for (DynamoDBStreamsClientRecord record : input.records()) copy(record.getRecord());
      } catch (RuntimeException e) {
        faults.add(e.toString());
      }
      if (!input.records().isEmpty()) checkpoint(input.checkpointer());
    }

    private void copy(Record record) {
      Map<String, AttributeValue> key = record.dynamodb().keys();
      BigInteger number = new BigInteger(record.dynamodb().sequenceNumber());
      BigInteger last = copied.get(key);
      if (last != null && number.compareTo(last) <= 0) return;
      copied.put(key, number);
      int[] tries = {0};
      Map<String, AttributeValue> before = patiently(() -> {
        tries[0]++;
        return record.eventName() == OperationType.REMOVE
            ? plain.deleteItem(r -> r.tableName(COPY).key(key).returnValues(ReturnValue.ALL_OLD)).attributes()
            : plain.putItem(r -> r.tableName(COPY).item(record.dynamodb().newImage()).returnValues(ReturnValue.ALL_OLD)).attributes();
      });
      if (!before.equals(record.dynamodb().oldImage()) && !(tries[0] > 1 && before.equals(record.dynamodb().newImage()))) {
        faults.add("in " + shard + " not after what was before: " + record + ", but " + before);
      }
    }

    private void checkpoint(RecordProcessorCheckpointer checkpointer) {
      try {
        checkpointer.checkpoint();
      } catch (ShutdownException e) {
        // Another worker has the shard; it begins where this one was.
      } catch (InvalidStateException e) {
        faults.add(e.toString());
      }
    }

    @Override
    public void leaseLost(LeaseLostInput input) {}

    @Override
    public void shardEnded(ShardEndedInput input) {
      ended.add(shard);
      checkpoint(input.checkpointer());
    }

    @Override
    public void shutdownRequested(ShutdownRequestedInput input) {
      checkpoint(input.checkpointer());
    }
  }

  /** A worker as the adapter's README makes one, but in more of a hurry. */
  private Worker start(String name) {
    String arn = plain.describeTable(r -> r.tableName(SOURCE)).table().latestStreamArn();
    var region = DefaultAwsRegionProviderChain.builder().build().getRegion();
    var adapter = new AmazonDynamoDBStreamsAdapterClient(streams, region);
    var configs = new ConfigsBuilder(
        StreamsSchedulerFactory.createSingleStreamTracker(arn, InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON)),
        APPLICATION, adapter, leases, unused, name, Copier::new);
    RetrievalConfig retrieval = configs.retrievalConfig();
    retrieval.retrievalSpecificConfig(new DynamoDBStreamsPollingConfig(arn, adapter).idleTimeBetweenReadsInMillis(100));
    Scheduler scheduler = StreamsSchedulerFactory.createScheduler(
        configs.checkpointConfig(),
        configs.coordinatorConfig().parentShardPollIntervalMillis(200).shardConsumerDispatchPollIntervalMillis(100),
        // The adapter sets the interval, too, but after it has been read.
        configs.leaseManagementConfig().failoverTimeMillis(2000).leaseAssignmentIntervalMillis(500L).shardSyncIntervalMillis(0),
        configs.lifecycleConfig().taskBackoffTimeMillis(200), configs.metricsConfig().metricsFactory(new NullMetricsFactory()),
        configs.processorConfig(), retrieval, adapter);
    Thread thread = new Thread(scheduler, name);
    thread.start();
    return new Worker(scheduler, thread);
  }

  private record Worker(Scheduler scheduler, Thread thread) {
    /** As one that dies: it gives nothing back, so its shards are another's when its leases have run out. */
    void stop() throws InterruptedException {
      scheduler.shutdown();
      thread.join(Duration.ofSeconds(60).toMillis());
      assertFalse(thread.isAlive(), "a worker does not end");
    }
  }

  /** Changes of all kinds until told to stop. */
  private class Writer extends Thread {
    volatile boolean stopped;
    int writes;

    @Override
    public void run() {
      Random random = new Random(7);
      try {
        for (; !stopped; writes++) write(random);
      } catch (RuntimeException e) {
        faults.add(e.toString());
      }
    }

    private void write(Random random) {
      int kind = random.nextInt(5);
      int filler = random.nextInt(50);
      int other = random.nextInt(3);
      int number = writes;
      Map<String, AttributeValue> key = Map.of("p", s("p" + random.nextInt(12)), "s", n(random.nextInt(4)));
      Map<String, AttributeValue> item = Map.of("p", key.get("p"), "s", key.get("s"), "n", n(number),
          "text", s("\u00e4\u0000\ud83d\ude00".repeat(filler)), "bytes", AttributeValue.fromB(SdkBytes.fromByteArray(new byte[] {0, (byte) number})),
          "set", AttributeValue.fromNs(List.of("1", "2.5")), "map", AttributeValue.fromM(Map.of("list", AttributeValue.fromL(List.of(AttributeValue.fromBool(true), AttributeValue.fromNul(true))))));
      patiently(() -> switch (kind) {
        case 0 -> plain.deleteItem(r -> r.tableName(SOURCE).key(key));
        case 1 -> plain.updateItem(r -> r.tableName(SOURCE).key(key).updateExpression("ADD n :one SET seen = :t")
            .expressionAttributeValues(Map.of(":one", n(1), ":t", s("" + number))));
        case 2 -> plain.batchWriteItem(r -> r.requestItems(Map.of(SOURCE, List.of(
            WriteRequest.builder().putRequest(PutRequest.builder().item(item).build()).build()))));
        case 3 -> plain.transactWriteItems(r -> r.transactItems(t -> t.put(p -> p.tableName(SOURCE).item(item)),
            t -> t.delete(d -> d.tableName(SOURCE).key(Map.of("p", s("other" + other), "s", n(1))))));
        default -> plain.putItem(r -> r.tableName(SOURCE).item(item));
      });
    }
  }

  private static Set<Map<String, AttributeValue>> items(String table) {
    return plain.scanPaginator(r -> r.tableName(table).consistentRead(true)).items().stream().collect(Collectors.toSet());
  }

  private void waitFor(String what, int seconds, BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() < end, () -> "not within " + seconds + " s: " + what + "; shards " + started + ", ended " + ended + "; faults " + faults);
      Thread.sleep(100);
    }
  }

  @Test
  void copiesLive() throws Exception {
    createTable(SOURCE, true);
    createTable(COPY, false);
    Writer writer = new Writer();
    Worker worker = start("first");
    try {
      waitFor("the library has begun", 90, () -> !started.isEmpty());
      writer.start();
      rollOver();
      crash();
      rollOver();
      worker.stop();
      worker = start("second");
      rollOver();
      writer.stopped = true;
      writer.join();
      waitFor("the copy is complete", 60, () -> items(COPY).equals(items(SOURCE)));
    } finally {
      writer.stopped = true;
      worker.stop();
    }
    assertEquals(List.of(), List.copyOf(faults));
    assertEquals(items(SOURCE), items(COPY));
    assertTrue(writer.writes > 100 && copied.size() > 40, () -> writer.writes + " writes, " + copied.size() + " items copied");
  }

  /** The server, by the command that scripts/test gives us for that. */
  private static void crash() throws Exception {
    String command = System.getenv("DYNAMO_CRASH");
    if (command != null) assertEquals(0, new ProcessBuilder("sh", "-c", command).redirectErrorStream(true).redirectOutput(Redirect.DISCARD).start().waitFor());
  }

  /** Until changes have been copied from shards that began meanwhile, of all buckets, and of their children. */
  private void rollOver() throws InterruptedException {
    int before = ended.size();
    waitFor("shards have rolled over (dynamo.stream_shard_lifetime should be some seconds)", 90, () -> ended.size() >= before + 8);
  }
}
