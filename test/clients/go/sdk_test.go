// A cinema on the AWS SDK for Go v2: attributevalue, expression, paginators, waiters.
package clients

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type Info struct {
	Rating float64  `dynamodbav:"rating"`
	Actors []string `dynamodbav:"actors,stringset,omitempty"`
}

type Movie struct {
	Year   int       `dynamodbav:"year"`
	Title  string    `dynamodbav:"title"`
	Studio string    `dynamodbav:"studio,omitempty"`
	Info   Info      `dynamodbav:"info"`
	Poster []byte    `dynamodbav:"poster,omitempty"`
	Shown  time.Time `dynamodbav:"shown,unixtime"`
	Notes  []any     `dynamodbav:"notes,omitempty"`
}

func client(t *testing.T) *dynamodb.Client {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return dynamodb.NewFromConfig(cfg)
}

func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func equal(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %#v, want %#v", got, want)
	}
}

func TestSDK(t *testing.T) {
	ctx := context.Background()
	db := client(t)
	name := aws.String("clients-go-sdk")
	must[*dynamodb.CreateTableOutput](t)(db.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:   name,
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("year"), AttributeType: types.ScalarAttributeTypeN},
			{AttributeName: aws.String("title"), AttributeType: types.ScalarAttributeTypeS},
			{AttributeName: aws.String("studio"), AttributeType: types.ScalarAttributeTypeS},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("year"), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String("title"), KeyType: types.KeyTypeRange},
		},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName:  aws.String("by-studio"),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
			KeySchema:  []types.KeySchemaElement{{AttributeName: aws.String("studio"), KeyType: types.KeyTypeHash}},
		}},
	}))
	if err := dynamodb.NewTableExistsWaiter(db, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = time.Second }).Wait(ctx,
		&dynamodb.DescribeTableInput{TableName: name}, time.Minute); err != nil {
		t.Fatal(err)
	}
	defer db.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: name})

	// A struct there and back.
	movie := Movie{Year: 1968, Title: "2001", Studio: "mgm", Info: Info{8.3, []string{"Dullea"}}, Poster: []byte{0, 255},
		Shown: time.Unix(1e9, 0), Notes: []any{"a", 1.5, nil, map[string]any{"deep": true}}}
	item := must[map[string]types.AttributeValue](t)(attributevalue.MarshalMap(movie))
	must[*dynamodb.PutItemOutput](t)(db.PutItem(ctx, &dynamodb.PutItemInput{TableName: name, Item: item}))
	key := map[string]types.AttributeValue{"year": item["year"], "title": item["title"]}
	got := must[*dynamodb.GetItemOutput](t)(db.GetItem(ctx, &dynamodb.GetItemInput{TableName: name, Key: key, ConsistentRead: aws.Bool(true)}))
	var back Movie
	if err := attributevalue.UnmarshalMap(got.Item, &back); err != nil {
		t.Fatal(err)
	}
	equal(t, back, movie)

	// Expressions that a builder makes.
	expr := must[expression.Expression](t)(expression.NewBuilder().
		WithUpdate(expression.Set(expression.Name("info.rating"), expression.Plus(expression.Name("info.rating"), expression.Value(0.5))).
			Add(expression.Name("info.actors"), expression.Value(&types.AttributeValueMemberSS{Value: []string{"Lockwood"}})).
			Remove(expression.Name("poster"))).
		WithCondition(expression.AttributeExists(expression.Name("title")).And(expression.Size(expression.Name("notes")).GreaterThanEqual(expression.Value(4)))).
		Build())
	updated := must[*dynamodb.UpdateItemOutput](t)(db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: name, Key: key, UpdateExpression: expr.Update(), ConditionExpression: expr.Condition(),
		ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(), ReturnValues: types.ReturnValueAllNew}))
	back = Movie{}
	if err := attributevalue.UnmarshalMap(updated.Attributes, &back); err != nil {
		t.Fatal(err)
	}
	equal(t, back.Info.Rating, 8.8)
	equal(t, len(back.Info.Actors), 2)
	equal(t, back.Poster == nil, true)

	// A failure has its type, and the item.
	_, err := db.PutItem(ctx, &dynamodb.PutItemInput{TableName: name, Item: key, ConditionExpression: aws.String("attribute_not_exists(title)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld})
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		t.Fatalf("%v", err)
	}
	equal(t, failed.Item["studio"], types.AttributeValue(&types.AttributeValueMemberS{Value: "mgm"}))

	// Batches with their rest, pages of a query, an index, a scan.
	var writes []types.WriteRequest
	for n := 0; n < 40; n++ {
		item := must[map[string]types.AttributeValue](t)(attributevalue.MarshalMap(Movie{Year: 1990, Title: fmt.Sprintf("m%02d", n), Studio: "s" + fmt.Sprint(n%2)}))
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: item}})
	}
	for len(writes) > 0 {
		some := writes[:min(25, len(writes))]
		out := must[*dynamodb.BatchWriteItemOutput](t)(db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{*name: some}}))
		writes = append(out.UnprocessedItems[*name], writes[len(some):]...)
	}
	expr = must[expression.Expression](t)(expression.NewBuilder().
		WithKeyCondition(expression.Key("year").Equal(expression.Value(1990)).And(expression.Key("title").Between(expression.Value("m10"), expression.Value("m29")))).
		WithFilter(expression.Name("studio").Equal(expression.Value("s0"))).
		WithProjection(expression.NamesList(expression.Name("title"))).Build())
	pages := dynamodb.NewQueryPaginator(db, &dynamodb.QueryInput{TableName: name, KeyConditionExpression: expr.KeyCondition(), FilterExpression: expr.Filter(),
		ProjectionExpression: expr.Projection(), ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(), Limit: aws.Int32(6)})
	var titles []string
	for pages.HasMorePages() {
		page := must[*dynamodb.QueryOutput](t)(pages.NextPage(ctx))
		var movies []Movie
		if err := attributevalue.UnmarshalListOfMaps(page.Items, &movies); err != nil {
			t.Fatal(err)
		}
		for _, m := range movies {
			titles = append(titles, m.Title)
		}
	}
	equal(t, titles, []string{"m10", "m12", "m14", "m16", "m18", "m20", "m22", "m24", "m26", "m28"})
	byStudio := must[*dynamodb.QueryOutput](t)(db.Query(ctx, &dynamodb.QueryInput{TableName: name, IndexName: aws.String("by-studio"),
		KeyConditionExpression: aws.String("studio = :s"), ExpressionAttributeValues: map[string]types.AttributeValue{":s": &types.AttributeValueMemberS{Value: "s1"}}}))
	equal(t, byStudio.Count, int32(20))
	scans, scanned := dynamodb.NewScanPaginator(db, &dynamodb.ScanInput{TableName: name, Limit: aws.Int32(7)}), 0
	for scans.HasMorePages() {
		scanned += int(must[*dynamodb.ScanOutput](t)(scans.NextPage(ctx)).Count)
	}
	equal(t, scanned, 41)

	// A transaction that is cancelled says why.
	_, err = db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Delete: &types.Delete{TableName: name, Key: key}},
		{ConditionCheck: &types.ConditionCheck{TableName: name, Key: map[string]types.AttributeValue{"year": item["year"], "title": &types.AttributeValueMemberS{Value: "no"}},
			ConditionExpression: aws.String("attribute_exists(title)")}}}})
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		t.Fatalf("%v", err)
	}
	equal(t, []string{*cancelled.CancellationReasons[0].Code, *cancelled.CancellationReasons[1].Code}, []string{"None", "ConditionalCheckFailed"})
	_, err = db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("absent-table")})
	var absent *types.ResourceNotFoundException
	equal(t, errors.As(err, &absent), true)
}
