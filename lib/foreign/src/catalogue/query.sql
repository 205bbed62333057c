-- The catalogue of a shop's database, as `cofferdam access-log catalogue` reads it. It holds names,
-- types and definitions, and no row of any table. PostgreSQL 12 or later:
--
--   psql -X -q -A -t -f catalogue.sql postgres://reader@db.shop.example/shop > catalogue.json
--
-- With this path, definitions of views name their relations with the schema.
SET search_path = pg_catalog;
WITH relation AS (
  SELECT c.oid, n.nspname, c.relname, c.relkind, c.relrowsecurity
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND n.nspname !~ '^pg_(toast|temp)'
), col AS (
  SELECT a.attrelid, a.attnum, json_build_object(
    'name', a.attname,
    'type', format_type(coalesce(nullif(t.typbasetype, 0), a.atttypid), NULL),
    'deterministic', coalesce(co.collisdeterministic, true),
    -- The columns from which a generated column is computed; none if a function computes it.
    'generated_from', CASE WHEN a.attgenerated = 's' AND NOT EXISTS (
      SELECT FROM pg_depend d LEFT JOIN pg_attrdef ad ON ad.oid = d.objid
      WHERE d.refclassid = 'pg_proc'::regclass
        AND ((d.classid = 'pg_attrdef'::regclass AND ad.adrelid = a.attrelid AND ad.adnum = a.attnum)
          OR (d.classid = 'pg_class'::regclass AND d.objid = a.attrelid AND d.objsubid = a.attnum))
    ) THEN (
      SELECT json_agg(DISTINCT source.attname)
      FROM pg_depend d LEFT JOIN pg_attrdef ad ON ad.oid = d.objid
      JOIN pg_attribute source ON source.attrelid = d.refobjid AND source.attnum = d.refobjsubid
      WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid
        AND d.refobjsubid NOT IN (0, a.attnum)
        AND ((d.classid = 'pg_attrdef'::regclass AND ad.adrelid = a.attrelid AND ad.adnum = a.attnum)
          OR (d.classid = 'pg_class'::regclass AND d.objid = a.attrelid AND d.objsubid = a.attnum))
    ) END
  ) AS it
  FROM pg_attribute a JOIN relation r ON r.oid = a.attrelid
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_collation co ON co.oid = a.attcollation
  WHERE a.attnum > 0 AND NOT a.attisdropped
), setting AS (
  SELECT setrole, setdatabase, substr(it, length('pgaudit.log=') + 1) AS value
  FROM pg_db_role_setting, unnest(setconfig) it WHERE it LIKE 'pgaudit.log=%'
)
SELECT json_build_object(
  'version', 1,
  'taken', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
  'database', current_database(),
  'search_path', (SELECT reset_val FROM pg_settings WHERE name = 'search_path'),
  -- The roles that may read something here and whose reads pgaudit is told not to log.
  'unaudited', (SELECT coalesce(json_agg(role.rolname ORDER BY role.rolname), '[]')
    FROM pg_roles role CROSS JOIN LATERAL (SELECT coalesce(
        (SELECT value FROM setting WHERE setrole = role.oid AND setdatabase = here),
        (SELECT value FROM setting WHERE setrole = role.oid AND setdatabase = 0),
        (SELECT value FROM setting WHERE setrole = 0 AND setdatabase = here),
        (SELECT value FROM setting WHERE setrole = 0 AND setdatabase = 0),
        -- The setting of the server; unknown if this session has one of its own, which counts as none.
        (SELECT CASE WHEN source IN ('database', 'user', 'database user', 'client', 'session')
            THEN 'none' ELSE reset_val END FROM pg_settings WHERE name = 'pgaudit.log')
      ) AS log FROM (SELECT oid AS here FROM pg_database WHERE datname = current_database()) d) AS audit
    WHERE role.rolcanlogin AND (audit.log !~* '\m(read|all)\M' OR audit.log ~* '-\s*(read|all)\M')
      -- A role may become any role of which it is a member.
      AND EXISTS (SELECT FROM pg_roles m WHERE pg_has_role(role.oid, m.oid, 'MEMBER')
        AND EXISTS (SELECT FROM relation r
          WHERE r.relkind <> 'S' AND has_any_column_privilege(m.oid, r.oid, 'SELECT')))),
  'relations', (SELECT coalesce(json_agg(json_build_object(
    'schema', r.nspname,
    'name', r.relname,
    'kind', CASE r.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned_table'
      WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized_view' WHEN 'f' THEN 'foreign_table'
      ELSE 'sequence' END,
    'row_security', r.relrowsecurity,
    'columns', (SELECT coalesce(json_agg(col.it ORDER BY col.attnum), '[]') FROM col
      WHERE col.attrelid = r.oid),
    'primary_key', (SELECT coalesce(json_agg(a.attname ORDER BY a.attnum), '[]')
      FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = ANY (k.conkey)
      WHERE k.conrelid = r.oid AND k.contype = 'p'),
    -- Keys that hold within a transaction too: one that is deferrable may be broken until its end.
    'unique', (SELECT coalesce(json_agg((SELECT json_agg(a.attname ORDER BY u.place)
        FROM unnest(k.conkey) WITH ORDINALITY u (attnum, place)
        JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = u.attnum) ORDER BY k.conname), '[]')
      FROM pg_constraint k JOIN pg_index i ON i.indexrelid = k.conindid
      WHERE k.conrelid = r.oid AND k.contype IN ('p', 'u') AND NOT k.condeferrable
        AND i.indisvalid AND i.indimmediate),
    'references', (SELECT coalesce(json_agg(json_build_object(
        'schema', tn.nspname, 'name', tc.relname,
        'from', (SELECT json_agg(a.attname ORDER BY u.place)
          FROM unnest(k.conkey) WITH ORDINALITY u (attnum, place)
          JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = u.attnum),
        'to', (SELECT json_agg(a.attname ORDER BY u.place)
          FROM unnest(k.confkey) WITH ORDINALITY u (attnum, place)
          JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum)
      ) ORDER BY k.conname), '[]')
      FROM pg_constraint k JOIN pg_class tc ON tc.oid = k.confrelid
      JOIN pg_namespace tn ON tn.oid = tc.relnamespace
      WHERE k.conrelid = r.oid AND k.contype = 'f'),
    -- The tables of which it is a partition or an heir.
    'parents', (SELECT coalesce(json_agg(json_build_object('schema', pn.nspname, 'name', pc.relname)
        ORDER BY i.inhseqno), '[]')
      FROM pg_inherits i JOIN pg_class pc ON pc.oid = i.inhparent
      JOIN pg_namespace pn ON pn.oid = pc.relnamespace
      WHERE i.inhrelid = r.oid),
    'query', CASE WHEN r.relkind IN ('v', 'm') THEN pg_get_viewdef(r.oid) END,
    -- The relations that a view or a materialized view reads.
    'reads', (SELECT coalesce(json_agg(DISTINCT jsonb_build_object('schema', bn.nspname, 'name', bc.relname)), '[]')
      FROM pg_rewrite w JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
      JOIN pg_class bc ON d.refclassid = 'pg_class'::regclass AND bc.oid = d.refobjid
      JOIN pg_namespace bn ON bn.oid = bc.relnamespace
      WHERE w.ev_class = r.oid AND w.rulename = '_RETURN' AND bc.oid <> r.oid)
  ) ORDER BY r.nspname, r.relname), '[]') FROM relation r),
  'functions', (SELECT coalesce(json_agg(DISTINCT jsonb_build_object(
      'schema', n.nspname, 'name', p.proname, 'language', l.lanname,
      'extension', EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
        AND d.objid = p.oid AND d.deptype = 'e'))), '[]')
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_language l ON l.oid = p.prolang
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)')
)::text;
