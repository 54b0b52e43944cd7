-- The part of an item that an index projects, and its size.
SET search_path = public, dynamo, dynamo_internal;

SELECT item_subset(i, n), item_subset_size(i, n)
FROM (VALUES ('{"a": {"N": "1"}, "bb": {"M": {"x": {"S": "é"}}}, "c": {"NULL": true}}'::item)) t(i),
	(VALUES (NULL), ('{}'::text[]), ('{a}'), ('{c}'), ('{bb}'), ('{a,bb,c}'), ('{A,a,aa,b,bb,bbb,c,d}'), ('{b,d}')) v(n);
SELECT item_subset('{}', '{a}'), item_subset_size('{}', '{a}'), item_subset('{}', NULL);

-- Any names of any item: what jsonb makes of them, in the one stored form.  Items of up to 300 attributes and 90,000 bytes
-- have offsets of every width.
CREATE TEMP TABLE sample AS
SELECT n, s, (SELECT json_object_agg('k' || k, json_build_object('S', repeat('v', 1 + k * 7 % s)))
			  FROM generate_series(1, n) k)::text::item AS i
FROM unnest(ARRAY[1, 2, 3, 7, 40, 300]) n, unnest(ARRAY[1, 20, 600]) s;
SELECT n, s, count(*) AS subsets,
	bool_and(item_send(subset) = item_send((coalesce(expected, '{}'))::text::item)) AS equal,
	bool_and(item_subset_size(i, names) = item_size(subset)) AS same_size
FROM (SELECT n, s, i, names, item_subset(i, names) AS subset,
		(SELECT jsonb_object_agg(key, value) FROM jsonb_each(i::text::jsonb) WHERE key = ANY (names)) AS expected
	  FROM (SELECT n, s, i, (SELECT array_agg('k' || k ORDER BY ('k' || k) COLLATE "C")
							 FROM generate_series(1, n + 5) k
							 WHERE hashint4(k * 1000 + seed) % density = 0) AS names
			FROM sample, generate_series(1, 10) seed, unnest(ARRAY[1, 2, 9]) density) a
	  WHERE names IS NOT NULL) b
GROUP BY n, s ORDER BY n, s;
