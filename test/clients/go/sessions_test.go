// Temporary credentials as the AWS SDK for Go v2 gets them: by a provider in code, and by a profile.
package clients

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

const reporter = "arn:aws:iam::000000000000:role/go_reporter"

func sql(t *testing.T, statement string) {
	t.Helper()
	if out, err := exec.Command("psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-c", statement).CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
}

// It is the role that asks, and it may make no table.
func asReporter(t *testing.T, cfg aws.Config) {
	t.Helper()
	ctx := context.Background()
	client := dynamodb.NewFromConfig(cfg)
	if _, err := client.DescribeLimits(ctx, &dynamodb.DescribeLimitsInput{}); err != nil {
		t.Fatal(err)
	}
	_, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("go-sessions")})
	var refused smithy.APIError
	if !errors.As(err, &refused) || refused.ErrorCode() != "AccessDeniedException" {
		t.Fatal("expected AccessDeniedException:", err)
	}
}

func TestSessions(t *testing.T) {
	if os.Getenv("PGHOST") == "" {
		t.Skip("needs SQL to make a role")
	}
	endpoint := os.Getenv("AWS_ENDPOINT_URL_DYNAMODB")
	t.Setenv("AWS_ENDPOINT_URL_STS", endpoint)
	sql(t, `CREATE ROLE go_reporter`)
	defer sql(t, `DROP ROLE go_reporter`)
	sql(t, `SELECT dynamo.put_trust_policy('go_reporter', '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
		"Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}]}')`)
	ctx := context.Background()

	t.Run("provider", func(t *testing.T) {
		cfg, err := config.LoadDefaultConfig(ctx)
		if err != nil {
			t.Fatal(err)
		}
		client := sts.NewFromConfig(cfg)
		cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(client, reporter,
			func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = "go" }))
		asReporter(t, cfg)
		who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil || *who.Arn != "arn:aws:sts::000000000000:assumed-role/go_reporter/go" {
			t.Fatal(err, who)
		}
	})

	t.Run("profile", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(file, []byte("[profile base]\naws_access_key_id = "+os.Getenv("AWS_ACCESS_KEY_ID")+
			"\naws_secret_access_key = "+os.Getenv("AWS_SECRET_ACCESS_KEY")+
			"\n[profile reporter]\nrole_arn = "+reporter+"\nsource_profile = base\nregion = us-east-1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
			t.Setenv(name, "")
			os.Unsetenv(name)
		}
		cfg, err := config.LoadDefaultConfig(ctx, config.WithSharedConfigFiles([]string{file}),
			config.WithSharedCredentialsFiles([]string{filepath.Join(t.TempDir(), "none")}), config.WithSharedConfigProfile("reporter"))
		if err != nil {
			t.Fatal(err)
		}
		asReporter(t, cfg)
	})
}
