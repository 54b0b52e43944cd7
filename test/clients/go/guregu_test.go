// Widgets and their counts, as guregu/dynamo has them.
package clients

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/guregu/dynamo/v2"
)

type Widget struct {
	UserID  int       `dynamo:",hash" index:"Msg-Time-index,hash" localIndex:"Local-index,hash"`
	Time    time.Time `dynamo:",range"`
	Msg     string    `localIndex:"Local-index,range"`
	Count   int
	Tags    map[string]struct{} `dynamo:",set,omitempty"`
	Meta    map[string]string   `dynamo:",omitempty"`
	Version int
}

func TestGuregu(t *testing.T) {
	ctx := context.Background()
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		t.Fatal(err)
	}
	db := dynamo.New(cfg)
	if err := db.CreateTable("clients-guregu", Widget{}).OnDemand(true).Wait(ctx); err != nil {
		t.Fatal(err)
	}
	table := db.Table("clients-guregu")
	defer table.DeleteTable().Run(ctx)
	description, err := table.Describe().Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, description.HashKey, "UserID")
	equal(t, len(description.LSI), 1)

	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	w := Widget{UserID: 613, Time: start, Msg: "hello", Tags: map[string]struct{}{"a": {}, "b": {}}, Meta: map[string]string{"k": "v"}}
	if err := table.Put(w).If("attribute_not_exists(UserID)").Run(ctx); err != nil {
		t.Fatal(err)
	}
	err = table.Put(w).If("attribute_not_exists(UserID)").Run(ctx)
	equal(t, dynamo.IsCondCheckFailed(err), true)
	var got Widget
	if err := table.Get("UserID", 613).Range("Time", dynamo.Equal, start).Consistent(true).One(ctx, &got); err != nil {
		t.Fatal(err)
	}
	equal(t, got, w)
	equal(t, errors.Is(table.Get("UserID", 1).Range("Time", dynamo.Equal, start).One(ctx, &got), dynamo.ErrNotFound), true)

	err = table.Update("UserID", 613).Range("Time", start).Set("Msg", "hi").Add("Count", 2).SetExpr("$.$ = ?", "Meta", "new", "x").
		DeleteFromSet("Tags", "a").If("'Count' = ?", 0).Value(ctx, &got)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, []any{got.Msg, got.Count, got.Meta["new"], len(got.Tags)}, []any{"hi", 2, "x", 1})

	var items []any
	for n := 0; n < 60; n++ {
		items = append(items, Widget{UserID: 7, Time: start.Add(time.Duration(n) * time.Minute), Msg: "m", Count: n})
	}
	wrote, err := table.Batch().Write().Put(items...).Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, wrote, 60)
	var found []Widget
	if err := table.Get("UserID", 7).Range("Time", dynamo.Between, start, start.Add(20*time.Minute)).Filter("'Count' > ?", 15).
		Order(dynamo.Descending).All(ctx, &found); err != nil {
		t.Fatal(err)
	}
	equal(t, []int{len(found), found[0].Count}, []int{5, 20})
	count, err := table.Get("UserID", 7).Count(ctx)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, count, 60)
	iter := table.Scan().Limit(25).Iter()
	seen := 0
	for iter.Next(ctx, &got) {
		seen++
	}
	equal(t, seen, 25)
	key, err := iter.LastEvaluatedKey(ctx)
	if err != nil {
		t.Fatal(err)
	}
	found = nil
	if err := table.Scan().StartFrom(key).All(ctx, &found); err != nil {
		t.Fatal(err)
	}
	equal(t, len(found), 36)

	transfer := func() error {
		return db.WriteTx().Idempotent(true).
			Update(table.Update("UserID", 613).Range("Time", start).Add("Count", -1).If("'Count' >= ?", 2)).
			Put(table.Put(Widget{UserID: 8, Time: start}).If("attribute_not_exists(UserID)")).
			Check(table.Check("UserID", 9).Range("Time", start).IfNotExists()).Run(ctx)
	}
	if err := transfer(); err != nil {
		t.Fatal(err)
	}
	equal(t, dynamo.IsCondCheckFailed(transfer()), true)
	var one, two Widget
	if err := db.GetTx().GetOne(table.Get("UserID", 613).Range("Time", dynamo.Equal, start), &one).
		GetOne(table.Get("UserID", 8).Range("Time", dynamo.Equal, start), &two).Run(ctx); err != nil {
		t.Fatal(err)
	}
	equal(t, []int{one.Count, two.UserID}, []int{1, 8})
}
