"""A fleet of cars, as PynamoDB models it."""
import os
from datetime import datetime, timezone

import boto3
import pytest
from pynamodb.attributes import (BinaryAttribute, BooleanAttribute, DiscriminatorAttribute, JSONAttribute, ListAttribute,
                                 MapAttribute, NumberAttribute, NumberSetAttribute, TTLAttribute, UnicodeAttribute,
                                 UnicodeSetAttribute, UTCDateTimeAttribute, VersionAttribute)
from pynamodb.connection import Connection
from pynamodb.exceptions import DeleteError, PutError, TransactWriteError, UpdateError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection, LocalSecondaryIndex
from pynamodb.models import Model
from pynamodb.transactions import TransactGet, TransactWrite

REGION = os.environ['AWS_DEFAULT_REGION']


class Place(MapAttribute):
    city = UnicodeAttribute()
    zip = NumberAttribute(null=True)


class ByCity(GlobalSecondaryIndex):
    class Meta:
        projection = AllProjection()
        billing_mode = 'PAY_PER_REQUEST'
    city = UnicodeAttribute(hash_key=True)
    built = NumberAttribute(range_key=True)


class ByBuilt(LocalSecondaryIndex):
    class Meta:
        projection = KeysOnlyProjection()
    fleet = UnicodeAttribute(hash_key=True)
    built = NumberAttribute(range_key=True)


class Vehicle(Model):
    class Meta:
        table_name = 'clients-pynamodb'
        billing_mode = 'PAY_PER_REQUEST'
        region = REGION

    fleet = UnicodeAttribute(hash_key=True)
    plate = UnicodeAttribute(range_key=True)
    kind = DiscriminatorAttribute()
    city = UnicodeAttribute(null=True)
    built = NumberAttribute(default=2020)
    tags = UnicodeSetAttribute(null=True)
    codes = NumberSetAttribute(null=True)
    photo = BinaryAttribute(null=True, legacy_encoding=False)
    place = Place(null=True)
    trips = ListAttribute(of=Place, default=list)
    extra = JSONAttribute(null=True)
    bought = UTCDateTimeAttribute(null=True)
    sold = BooleanAttribute(default=False)
    expires = TTLAttribute(null=True)
    by_city = ByCity()
    by_built = ByBuilt()


class Car(Vehicle, discriminator='car'):
    seats = NumberAttribute(default=4)


class Truck(Vehicle, discriminator='truck'):
    load = NumberAttribute(default=10)
    version = VersionAttribute()


@pytest.fixture(scope='module', autouse=True)
def table():
    assert not Vehicle.exists()
    Vehicle.create_table(wait=True)
    assert Vehicle.exists()
    yield
    Vehicle.delete_table()


def test_time_to_live():
    """create_table() has switched it on."""
    described = boto3.client('dynamodb').describe_time_to_live(TableName='clients-pynamodb')['TimeToLiveDescription']
    assert described['AttributeName'] == 'expires'


def test_save_and_get():
    bought = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    Car('a', 'p1', city='rome', tags={'x', 'y'}, codes={1, 2.5}, photo=b'\0\1', place=Place(city='rome', zip=7),
        trips=[Place(city='paris')], extra={'any': [1, None]}, bought=bought).save()
    car = Vehicle.get('a', 'p1', consistent_read=True)
    assert isinstance(car, Car)
    assert (car.tags, car.codes, car.photo, car.place.zip, car.trips[0].city) == ({'x', 'y'}, {1, 2.5}, b'\0\1', 7, 'paris')
    assert (car.extra, car.bought, car.seats) == ({'any': [1, None]}, bought, 4)
    with pytest.raises(PutError) as caught:
        Car('a', 'p1').save(condition=Vehicle.plate.does_not_exist())
    assert caught.value.cause_response_code == 'ConditionalCheckFailedException'
    with pytest.raises(Car.DoesNotExist):
        Car.get('a', 'absent')


def test_update_and_delete():
    car = Car('a', 'p2', tags={'x'})
    car.save()
    car.update(actions=[Car.seats.add(3), Car.tags.add({'z'}), Car.place.set(Place(city='oslo')),
                        Car.trips.set(Car.trips.append([Place(city='bergen')])), Car.city.set('oslo')],
               condition=Car.seats < 10)
    assert (car.seats, car.tags, car.place.city, car.trips[0].city) == (7, {'x', 'z'}, 'oslo', 'bergen')
    car.update(actions=[Car.place.city.set('narvik'), Car.trips[0].remove(), Car.tags.delete({'x'})])
    assert (car.place.city, car.trips, car.tags) == ('narvik', [], {'z'})
    with pytest.raises(UpdateError):
        car.update(actions=[Car.sold.set(True)], condition=Car.seats.between(1, 2) | Car.city.startswith('r'))
    with pytest.raises(DeleteError):
        car.delete(condition=Car.tags.contains('x'))
    car.refresh()
    car.delete()


def test_version():
    truck = Truck('v', 't1')
    truck.save()
    other = Truck.get('v', 't1')
    truck.load = 11
    truck.save()
    assert truck.version == 2
    other.load = 12
    with pytest.raises(PutError):
        other.save()


def test_batches_and_queries():
    with Vehicle.batch_write() as batch:
        for n in range(60):
            batch.save((Car if n % 2 else Truck)('b', f'p{n:02}', city='rome' if n % 3 else 'oslo', built=1990 + n))
    assert [c.plate for c in Vehicle.query('b', Vehicle.plate.between('p10', 'p13'), scan_index_forward=False)] == ['p13', 'p12', 'p11', 'p10']
    assert len(list(Car.query('b'))) == 30              # the discriminator is a filter
    assert Vehicle.count('b', filter_condition=Vehicle.built.is_in(1990, 1995, 3000)) == 2
    assert [v.built for v in Vehicle.by_city.query('oslo', ByCity.built < 2000)] == [1990, 1993, 1996, 1999]
    assert [v.plate for v in Vehicle.by_built.query('b', ByBuilt.built > 2046)] == ['p57', 'p58', 'p59']
    found = Vehicle.query('b', page_size=7, limit=20)
    assert len(list(found)) == 20
    rest = list(Vehicle.query('b', last_evaluated_key=found.last_evaluated_key))
    assert [v.plate for v in rest] == [f'p{n}' for n in range(20, 60)]
    assert len(list(Vehicle.scan(Vehicle.fleet == 'b', page_size=9))) == 60
    keys = [('b', f'p{n:02}') for n in range(0, 62)]
    assert len(list(Vehicle.batch_get(keys))) == 60
    with Vehicle.batch_write() as batch:
        for v in Vehicle.query('b', attributes_to_get=['fleet', 'plate', 'kind']):
            batch.delete(v)
    assert Vehicle.count('b') == 0


def test_transactions():
    connection = Connection(region=REGION)
    Car('t', 'p1', seats=2).save()

    def swap():
        with TransactWrite(connection=connection, client_request_token=None) as transaction:
            transaction.update(Car('t', 'p1'), actions=[Car.seats.add(-1)], condition=Car.seats > 1)
            transaction.save(Car('t', 'p2'), condition=Car.plate.does_not_exist())
            transaction.condition_check(Car, 't', 'p3', condition=Car.plate.does_not_exist())

    swap()
    with pytest.raises(TransactWriteError) as caught:
        swap()
    assert [r and r.code for r in caught.value.cancellation_reasons] == \
        [None, 'ConditionalCheckFailed', 'ConditionalCheckFailed']     # checks go first
    with TransactGet(connection=connection) as transaction:
        first, second = transaction.get(Car, 't', 'p1'), transaction.get(Car, 't', 'p2')
    assert (first.get().seats, second.get().seats) == (1, 4)
