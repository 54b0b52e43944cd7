//! A log of measurements on the AWS SDK for Rust, with serde_dynamo.
use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::client::Waiters;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, ConditionCheck, Delete, KeySchemaElement, KeyType, PutRequest, ReturnValue,
    ReturnValuesOnConditionCheckFailure, ScalarAttributeType, TransactWriteItem, WriteRequest,
};
use aws_sdk_dynamodb::Client;
use serde::{Deserialize, Serialize};

const TABLE: &str = "clients-rust";

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Place {
    lat: f64,
    labels: Vec<String>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Measurement {
    device: String,
    at: i64,
    value: f64,
    place: Option<Place>,
    flags: Vec<bool>,
    big: u64,
}

fn measurement(at: i64) -> Measurement {
    let place = Place { lat: 1.5, labels: vec!["x".into(), "é".into()] };
    Measurement { device: "d1".into(), at, value: at as f64 / 4.0, place: Some(place), flags: vec![true, false], big: u64::MAX }
}

fn key(at: i64) -> HashMap<String, AttributeValue> {
    HashMap::from([("device".into(), AttributeValue::S("d1".into())), ("at".into(), AttributeValue::N(at.to_string()))])
}

async fn with_table() -> Client {
    let client = Client::new(&aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await);
    let attribute = |name: &str, kind| AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap();
    let element = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    client
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("device", ScalarAttributeType::S))
        .attribute_definitions(attribute("at", ScalarAttributeType::N))
        .key_schema(element("device", KeyType::Hash))
        .key_schema(element("at", KeyType::Range))
        .send()
        .await
        .unwrap();
    client.wait_until_table_exists().table_name(TABLE).wait(std::time::Duration::from_secs(60)).await.unwrap();
    client
}

#[tokio::test]
async fn measurements() {
    let client = with_table().await;

    // Structs there and back.
    let item = serde_dynamo::to_item(measurement(1)).unwrap();
    client.put_item().table_name(TABLE).set_item(Some(item)).item("raw", AttributeValue::B(Blob::new([0, 255]))).send().await.unwrap();
    let got = client.get_item().table_name(TABLE).set_key(Some(key(1))).consistent_read(true).send().await.unwrap().item.unwrap();
    assert_eq!(got["raw"], AttributeValue::B(Blob::new([0, 255])));
    assert_eq!(serde_dynamo::from_item::<_, Measurement>(got).unwrap(), measurement(1));

    // A failed condition has its type and the item.
    let failed = client
        .put_item()
        .table_name(TABLE)
        .set_item(Some(key(1)))
        .condition_expression("attribute_not_exists(device)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await
        .unwrap_err();
    match failed {
        SdkError::ServiceError(e) => match e.into_err() {
            PutItemError::ConditionalCheckFailedException(e) => {
                assert_eq!(e.message(), Some("The conditional request failed"));
                assert_eq!(e.item().unwrap()["big"], AttributeValue::N(u64::MAX.to_string()));
            }
            e => panic!("{e:?}"),
        },
        e => panic!("{e:?}"),
    }
    let updated = client
        .update_item()
        .table_name(TABLE)
        .set_key(Some(key(1)))
        .update_expression("SET #v = #v + :one, place.labels[5] = :n ADD tags :t REMOVE flags[0]")
        .expression_attribute_names("#v", "value")
        .expression_attribute_values(":one", AttributeValue::N("1".into()))
        .expression_attribute_values(":n", AttributeValue::S("y".into()))
        .expression_attribute_values(":t", AttributeValue::Ss(vec!["b".into(), "a".into()]))
        .return_values(ReturnValue::AllNew)
        .send()
        .await
        .unwrap()
        .attributes
        .unwrap();
    let tags: HashSet<_> = updated["tags"].as_ss().unwrap().iter().cloned().collect();
    assert_eq!(tags, HashSet::from(["a".to_string(), "b".to_string()]));
    let back: Measurement = serde_dynamo::from_item(updated).unwrap();
    assert_eq!((back.value, back.flags, back.place.unwrap().labels.len()), (1.25, vec![false], 3));

    // Batches with their rest; pages.
    let mut requests: Vec<WriteRequest> = (2..62)
        .map(|at| {
            let put = PutRequest::builder().set_item(Some(serde_dynamo::to_item(measurement(at)).unwrap())).build().unwrap();
            WriteRequest::builder().put_request(put).build()
        })
        .collect();
    while !requests.is_empty() {
        let some: Vec<_> = requests.drain(..requests.len().min(25)).collect();
        let out = client.batch_write_item().request_items(TABLE, some).send().await.unwrap();
        requests.extend(out.unprocessed_items.and_then(|mut u| u.remove(TABLE)).unwrap_or_default());
    }
    let items: Result<Vec<_>, _> = client
        .query()
        .table_name(TABLE)
        .key_condition_expression("device = :d AND #at BETWEEN :low AND :high")
        .filter_expression("contains(place.labels, :x)")
        .expression_attribute_names("#at", "at")
        .expression_attribute_values(":d", AttributeValue::S("d1".into()))
        .expression_attribute_values(":low", AttributeValue::N("10".into()))
        .expression_attribute_values(":high", AttributeValue::N("39".into()))
        .expression_attribute_values(":x", AttributeValue::S("x".into()))
        .scan_index_forward(false)
        .limit(7)
        .into_paginator()
        .items()
        .send()
        .collect()
        .await;
    let found: Vec<Measurement> = serde_dynamo::from_items(items.unwrap()).unwrap();
    assert_eq!(found.iter().map(|m| m.at).collect::<Vec<_>>(), (10..40).rev().collect::<Vec<_>>());

    // A transaction says why it was cancelled.
    let delete = Delete::builder().table_name(TABLE).set_key(Some(key(1))).build().unwrap();
    let check = ConditionCheck::builder().table_name(TABLE).set_key(Some(key(100))).condition_expression("attribute_exists(device)").build().unwrap();
    let error = client
        .transact_write_items()
        .transact_items(TransactWriteItem::builder().delete(delete).build())
        .transact_items(TransactWriteItem::builder().condition_check(check).build())
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    match error {
        TransactWriteItemsError::TransactionCanceledException(e) => {
            let codes: Vec<_> = e.cancellation_reasons().iter().map(|r| r.code().unwrap().to_string()).collect();
            assert_eq!(codes, ["None", "ConditionalCheckFailed"]);
        }
        e => panic!("{e:?}"),
    }
    assert!(client.describe_table().table_name("absent-table").send().await.unwrap_err().into_service_error().is_resource_not_found_exception());
    client.delete_table().table_name(TABLE).send().await.unwrap();
}
