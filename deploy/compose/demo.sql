-- A database to lease roles of: what docs/integrations/postgresql.md asks for, and a table to read.
\getenv password DEMO_POSTGRESQL_PASSWORD
CREATE ROLE leasehold LOGIN CREATEROLE PASSWORD :'password';
CREATE ROLE demo_readers NOLOGIN;
GRANT demo_readers TO leasehold WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;

CREATE TABLE orders (id int PRIMARY KEY, item text NOT NULL);
INSERT INTO orders VALUES (1, 'apples'), (2, 'pears'), (3, 'plums');
GRANT SELECT ON orders TO demo_readers;
