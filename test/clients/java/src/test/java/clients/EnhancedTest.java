package clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.enhanced.dynamodb.DynamoDbEnhancedClient;
import software.amazon.awssdk.enhanced.dynamodb.DynamoDbTable;
import software.amazon.awssdk.enhanced.dynamodb.Expression;
import software.amazon.awssdk.enhanced.dynamodb.Key;
import software.amazon.awssdk.enhanced.dynamodb.TableSchema;
import software.amazon.awssdk.enhanced.dynamodb.extensions.annotations.DynamoDbAtomicCounter;
import software.amazon.awssdk.enhanced.dynamodb.extensions.annotations.DynamoDbVersionAttribute;
import software.amazon.awssdk.enhanced.dynamodb.mapper.annotations.DynamoDbBean;
import software.amazon.awssdk.enhanced.dynamodb.mapper.annotations.DynamoDbPartitionKey;
import software.amazon.awssdk.enhanced.dynamodb.mapper.annotations.DynamoDbSecondaryPartitionKey;
import software.amazon.awssdk.enhanced.dynamodb.mapper.annotations.DynamoDbSecondarySortKey;
import software.amazon.awssdk.enhanced.dynamodb.mapper.annotations.DynamoDbSortKey;
import software.amazon.awssdk.enhanced.dynamodb.model.EnhancedGlobalSecondaryIndex;
import software.amazon.awssdk.enhanced.dynamodb.model.Page;
import software.amazon.awssdk.enhanced.dynamodb.model.PageIterable;
import software.amazon.awssdk.enhanced.dynamodb.model.QueryConditional;
import software.amazon.awssdk.enhanced.dynamodb.model.ReadBatch;
import software.amazon.awssdk.enhanced.dynamodb.model.WriteBatch;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.ProjectionType;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;
import software.amazon.awssdk.services.dynamodb.model.TransactionCanceledException;

/** Invoices on the enhanced client: beans, extensions, indexes, batches, transactions. */
class EnhancedTest {
  @DynamoDbBean
  public static class Line {
    private String article;
    private BigDecimal price;

    public String getArticle() { return article; }
    public void setArticle(String article) { this.article = article; }
    public BigDecimal getPrice() { return price; }
    public void setPrice(BigDecimal price) { this.price = price; }
  }

  @DynamoDbBean
  public static class Invoice {
    private String customer;
    private Integer number;
    private String state;
    private Instant due;
    private List<Line> lines;
    private Set<String> tags;
    private SdkBytes scan;
    private Map<String, Boolean> flags;
    private Long version;
    private Long edits;

    @DynamoDbPartitionKey
    public String getCustomer() { return customer; }
    public void setCustomer(String customer) { this.customer = customer; }
    @DynamoDbSortKey
    public Integer getNumber() { return number; }
    public void setNumber(Integer number) { this.number = number; }
    @DynamoDbSecondaryPartitionKey(indexNames = "by-state")
    public String getState() { return state; }
    public void setState(String state) { this.state = state; }
    @DynamoDbSecondarySortKey(indexNames = "by-state")
    public Instant getDue() { return due; }
    public void setDue(Instant due) { this.due = due; }
    public List<Line> getLines() { return lines; }
    public void setLines(List<Line> lines) { this.lines = lines; }
    public Set<String> getTags() { return tags; }
    public void setTags(Set<String> tags) { this.tags = tags; }
    public SdkBytes getScan() { return scan; }
    public void setScan(SdkBytes scan) { this.scan = scan; }
    public Map<String, Boolean> getFlags() { return flags; }
    public void setFlags(Map<String, Boolean> flags) { this.flags = flags; }
    @DynamoDbVersionAttribute
    public Long getVersion() { return version; }
    public void setVersion(Long version) { this.version = version; }
    @DynamoDbAtomicCounter
    public Long getEdits() { return edits; }
    public void setEdits(Long edits) { this.edits = edits; }
  }

  static final DynamoDbClient client = DynamoDbClient.create();
  static final DynamoDbEnhancedClient enhanced = DynamoDbEnhancedClient.builder().dynamoDbClient(client).build();
  /** Batches can't have the conditions that extensions add. */
  static final DynamoDbEnhancedClient plain = DynamoDbEnhancedClient.builder().dynamoDbClient(client).extensions(List.of()).build();
  static final DynamoDbTable<Invoice> invoices = enhanced.table("clients-java", TableSchema.fromBean(Invoice.class));

  static Invoice invoice(String customer, int number) {
    Invoice invoice = new Invoice();
    invoice.setCustomer(customer);
    invoice.setNumber(number);
    invoice.setState(number % 2 == 0 ? "open" : "paid");
    invoice.setDue(Instant.ofEpochSecond(1_000_000_000L + number));
    return invoice;
  }

  static Key key(String customer, int number) {
    return Key.builder().partitionValue(customer).sortValue(number).build();
  }

  @BeforeAll
  static void create() {
    invoices.createTable(r -> r.globalSecondaryIndices(EnhancedGlobalSecondaryIndex.builder().indexName("by-state")
        .projection(p -> p.projectionType(ProjectionType.ALL)).build()));
    client.waiter().waitUntilTableExists(r -> r.tableName("clients-java"));
    assertEquals("PAY_PER_REQUEST", invoices.describeTable().table().billingModeSummary().billingModeAsString());
  }

  @AfterAll
  static void delete() {
    invoices.deleteTable();
    assertThrows(ResourceNotFoundException.class, () -> client.describeTable(r -> r.tableName("clients-java")));
  }

  @Test
  void beans() {
    Invoice made = invoice("a", 1);
    Line line = new Line();
    line.setArticle("bolt");
    line.setPrice(new BigDecimal("0.1234567890123456789"));
    made.setLines(List.of(line));
    made.setTags(Set.of("x", "y"));
    made.setScan(SdkBytes.fromByteArray(new byte[] {0, -1}));
    made.setFlags(Map.of("sent", true));
    invoices.putItem(made);
    Invoice got = invoices.getItem(r -> r.key(key("a", 1)).consistentRead(true));
    assertEquals(1L, got.getVersion());
    assertEquals(0L, got.getEdits());
    assertEquals(line.getPrice(), got.getLines().get(0).getPrice());
    assertEquals(made.getTags(), got.getTags());
    assertEquals(made.getScan(), got.getScan());
    assertEquals(made.getDue(), got.getDue());
    assertTrue(got.getFlags().get("sent"));

    // Two hold the same version; the second to write is refused.
    Invoice other = invoices.getItem(key("a", 1));
    got.setState("paid");
    Invoice updated = invoices.updateItem(got);
    assertEquals(2L, updated.getVersion());
    assertEquals(1L, updated.getEdits());
    assertThrows(ConditionalCheckFailedException.class, () -> invoices.updateItem(other));
    assertEquals("paid", invoices.deleteItem(key("a", 1)).getState());
    assertNull(invoices.getItem(key("a", 1)));
  }

  @Test
  void batchesAndQueries() {
    List<Invoice> all = IntStream.range(0, 40).mapToObj(n -> invoice("b", n)).toList();
    for (int i = 0; i < all.size(); i += 25) {
      WriteBatch.Builder<Invoice> batch = WriteBatch.builder(Invoice.class)
          .mappedTableResource(plain.table("clients-java", TableSchema.fromBean(Invoice.class)));
      all.subList(i, Math.min(i + 25, all.size())).forEach(batch::addPutItem);
      assertTrue(plain.batchWriteItem(r -> r.writeBatches(batch.build())).unprocessedPutItemsForTable(invoices).isEmpty());
    }
    PageIterable<Invoice> pages = invoices.query(r -> r.queryConditional(QueryConditional.sortBetween(key("b", 10), key("b", 29)))
        .scanIndexForward(false).limit(8)
        .filterExpression(Expression.builder().expression("#s = :open").putExpressionName("#s", "state")
            .putExpressionValue(":open", AttributeValue.fromS("open")).build()));
    assertEquals(List.of(28, 26, 24, 22, 20, 18, 16, 14, 12, 10), pages.items().stream().map(Invoice::getNumber).toList());
    assertEquals(3, pages.stream().count());
    List<Invoice> paid = invoices.index("by-state").query(QueryConditional.sortLessThan(
        Key.builder().partitionValue("paid").sortValue(Instant.ofEpochSecond(1_000_000_006L).toString()).build()))
        .stream().flatMap(p -> p.items().stream()).filter(i -> i.getCustomer().equals("b")).toList();
    assertEquals(List.of(1, 3, 5), paid.stream().map(Invoice::getNumber).toList());
    assertEquals(40, invoices.scan(r -> r.limit(9)).items().stream().filter(i -> i.getCustomer().equals("b")).count());
    ReadBatch read = ReadBatch.builder(Invoice.class).mappedTableResource(invoices).addGetItem(key("b", 3)).addGetItem(key("b", 99)).build();
    assertEquals(1, enhanced.batchGetItem(r -> r.readBatches(read)).resultsForTable(invoices).stream().count());
  }

  @Test
  void transactions() {
    invoices.putItem(invoice("t", 1));
    Runnable move = () -> enhanced.transactWriteItems(r -> r
        .addDeleteItem(invoices, key("t", 1))
        .addPutItem(invoices, software.amazon.awssdk.enhanced.dynamodb.model.TransactPutItemEnhancedRequest.builder(Invoice.class)
            .item(invoice("t", 2))
            .conditionExpression(Expression.builder().expression("attribute_not_exists(customer)").build()).build()));
    move.run();
    TransactionCanceledException cancelled = assertThrows(TransactionCanceledException.class, move::run);
    assertEquals(List.of("None", "ConditionalCheckFailed"), cancelled.cancellationReasons().stream().map(c -> c.code()).toList());
    List<Invoice> got = enhanced.transactGetItems(r -> r.addGetItem(invoices, key("t", 1)).addGetItem(invoices, key("t", 2)))
        .stream().map(d -> d.getItem(invoices)).toList();
    assertNull(got.get(0));
    assertEquals(2, got.get(1).getNumber());
    Page<Invoice> page = invoices.query(QueryConditional.keyEqualTo(k -> k.partitionValue("t"))).iterator().next();
    assertEquals(1, page.items().size());
  }
}
