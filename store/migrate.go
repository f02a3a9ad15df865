package store

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"text/template"

	"github.com/uptrace/bun"

	"carbongraph/internal/fault"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// MigrationStatus is one migration and whether it is applied.
type MigrationStatus struct {
	Name    string
	Applied bool
}

// appliedRow is one row of schema_migrations. What one MigrateUp applied is a group.
type appliedRow struct {
	Name  string `bun:"name"`
	Group int    `bun:"migration_group"`
}

// MigrateUp applies what is missing and tells how many. All of it is one transaction under a lock: it is there whole or not at all.
func (s *Store) MigrateUp(ctx context.Context) (int, error) {
	names := migrationNames()
	count := 0
	err := s.migrate(ctx, func(tx *transaction, done []appliedRow) error {
		group := 1
		for _, d := range done {
			group = max(group, d.Group+1)
		}
		count = 0
		for _, name := range names {
			if slices.ContainsFunc(done, func(d appliedRow) bool { return d.Name == name }) {
				continue
			}
			if err := s.runMigration(ctx, tx, name+".up.sql"); err != nil {
				return err
			}
			if _, err := tx.NewRaw("INSERT INTO schema_migrations (name, migration_group, applied_at) VALUES (?, ?, ?)", name, group, s.Now()).Exec(ctx); err != nil {
				return err
			}
			count++
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return count, s.readSecret(ctx)
}

// MigrateDown takes the last group back and tells how many migrations that were.
func (s *Store) MigrateDown(ctx context.Context) (int, error) {
	count := 0
	err := s.migrate(ctx, func(tx *transaction, done []appliedRow) error {
		count = 0
		for i := len(done) - 1; i >= 0 && done[i].Group == done[len(done)-1].Group; i-- {
			if !slices.Contains(migrationNames(), done[i].Name) {
				return fault.New(fault.Internal, "Migration %s is of a newer program; take it back with that one.", done[i].Name)
			}
			if err := s.runMigration(ctx, tx, done[i].Name+".down.sql"); err != nil {
				return err
			}
			if _, err := tx.NewRaw("DELETE FROM schema_migrations WHERE name = ?", done[i].Name).Exec(ctx); err != nil {
				return err
			}
			count++
		}
		return nil
	})
	return count, err
}

// Migrations lists every migration and whether it is applied.
func (s *Store) Migrations(ctx context.Context) ([]MigrationStatus, error) {
	var done []appliedRow
	var there bool
	err := s.db.NewRaw(s.dialect.words()["hasTable"], "schema_migrations").Scan(ctx, &there)
	if err == nil && there {
		done, err = applied(ctx, s.db)
	}
	if err != nil {
		return nil, s.fault(err, "list migrations")
	}
	var out []MigrationStatus
	for _, name := range migrationNames() {
		out = append(out, MigrationStatus{name, slices.ContainsFunc(done, func(d appliedRow) bool { return d.Name == name })})
	}
	return out, nil
}

// migrate runs f in one transaction under the lock, with what is applied, oldest first.
func (s *Store) migrate(ctx context.Context, f func(*transaction, []appliedRow) error) error {
	return s.transact(ctx, "migrate", ID{}, func(ctx context.Context, tx *transaction) error {
		if err := s.lockReferences(ctx, tx); err != nil {
			return err
		}
		words := s.dialect.words()
		if _, err := tx.tx.Tx.ExecContext(ctx, fmt.Sprintf(`CREATE TABLE IF NOT EXISTS schema_migrations (name %s NOT NULL PRIMARY KEY,
			migration_group %s NOT NULL, applied_at %s NOT NULL)`, words["text"], words["int"], words["instant"])); err != nil {
			return err
		}
		done, err := applied(ctx, tx.tx)
		if err != nil {
			return err
		}
		return f(tx, done)
	})
}

// applied lists what is applied, oldest first.
func applied(ctx context.Context, db bun.IDB) (rows []appliedRow, err error) {
	err = db.NewRaw("SELECT name, migration_group FROM schema_migrations ORDER BY migration_group, name").Scan(ctx, &rows)
	return rows, err
}

// runMigration runs all statements of a file. What they change of answers is noticed as if others had written it, by triggers.
func (s *Store) runMigration(ctx context.Context, tx *transaction, file string) error {
	text, err := template.New(file).Option("missingkey=error").ParseFS(migrationFiles, "migrations/"+file)
	if err != nil {
		return err
	}
	var sql strings.Builder
	if err := text.Execute(&sql, s.dialect.words()); err != nil {
		return err
	}
	if _, err := tx.tx.Tx.ExecContext(ctx, sql.String()); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

func migrationNames() []string {
	files, _ := fs.Glob(migrationFiles, "migrations/*.up.sql") // the pattern is right
	slices.Sort(files)
	for i, f := range files {
		files[i] = strings.TrimSuffix(strings.TrimPrefix(f, "migrations/"), ".up.sql")
	}
	return files
}

// SchemaDigest names the schema that this program makes: equal names, equal tables.
func SchemaDigest() string {
	all := sha256.New()
	for _, name := range migrationNames() {
		text, _ := migrationFiles.ReadFile("migrations/" + name + ".up.sql") // the name was just listed
		fmt.Fprintf(all, "%s\n%s\n", name, text)
	}
	return hex.EncodeToString(all.Sum(nil)[:8])
}
