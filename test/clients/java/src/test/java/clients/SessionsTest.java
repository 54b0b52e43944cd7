package clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.net.URI;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.DynamoDbException;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.auth.StsAssumeRoleCredentialsProvider;

/** Temporary credentials as the AWS SDK for Java v2 gets them. */
class SessionsTest {
  private static final String ROLE = "arn:aws:iam::000000000000:role/java_reporter";

  private static void sql(String statement) throws Exception {
    Process psql = new ProcessBuilder("psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-c", statement)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    assertEquals(0, psql.waitFor());
  }

  @Test
  void assumedRole() throws Exception {
    assumeTrue(System.getenv("PGHOST") != null, "needs SQL to make a role");
    URI endpoint = URI.create(System.getenv("AWS_ENDPOINT_URL_DYNAMODB"));
    sql("CREATE ROLE java_reporter");
    try {
      sql("SELECT dynamo.put_trust_policy('java_reporter', '{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\","
          + " \"Principal\": {\"AWS\": \"000000000000\"}, \"Action\": \"sts:AssumeRole\"}]}')");
      try (StsClient sts = StsClient.builder().endpointOverride(endpoint).build();
          StsAssumeRoleCredentialsProvider provider = StsAssumeRoleCredentialsProvider.builder().stsClient(sts)
              .refreshRequest(r -> r.roleArn(ROLE).roleSessionName("java").durationSeconds(900)).build();
          StsClient assumed = StsClient.builder().endpointOverride(endpoint).credentialsProvider(provider).build();
          DynamoDbClient client = DynamoDbClient.builder().credentialsProvider(provider).build()) {
        assertEquals("arn:aws:sts::000000000000:assumed-role/java_reporter/java", assumed.getCallerIdentity().arn());
        client.describeLimits();
        // It is the role that asks.
        DynamoDbException refused = assertThrows(DynamoDbException.class, () -> client.describeTable(r -> r.tableName("java-sessions")));
        assertEquals("AccessDeniedException", refused.awsErrorDetails().errorCode());
      }
    } finally {
      sql("DROP ROLE java_reporter");
    }
  }
}
