package factors

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"carbongraph/internal/fault"
)

// file is a file of a dataset, on disk or built in.
type file struct {
	name string
	open func() (io.ReadCloser, error)
}

// filesAt lists the files at the paths; a folder stands for the CSV files in it, by name.
func filesAt(paths []string) ([]file, error) {
	var out []file
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, cannotOpen(err, path)
		}
		if !info.IsDir() {
			out = append(out, onDisk(path))
			continue
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, cannotOpen(err, path)
		}
		before := len(out)
		for _, e := range entries {
			if !e.IsDir() && isTable(e.Name()) {
				out = append(out, onDisk(filepath.Join(path, e.Name())))
			}
		}
		if len(out) == before {
			return nil, fault.New(fault.BadUserInput, "The folder %s has no .csv or .csv.gz file in it.", path)
		}
	}
	if len(out) == 0 {
		return nil, fault.New(fault.BadUserInput, "No file was given; name the dataset's file or folder.")
	}
	slices.SortStableFunc(out, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return out, nil
}

func isTable(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, ".csv") || strings.HasSuffix(name, ".csv.gz")
}

func onDisk(path string) file {
	return file{filepath.Base(path), func() (io.ReadCloser, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, cannotOpen(err, path)
		}
		return f, nil
	}}
}

func cannotOpen(err error, path string) error {
	if os.IsNotExist(err) {
		return fault.Wrap(err, fault.BadUserInput, "There is no file %s.", path)
	}
	return fault.Wrap(err, fault.BadUserInput, "%s cannot be opened; check that it may be read.", path)
}
