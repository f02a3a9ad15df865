package app_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"carbongraph/internal/servertest"
	"carbongraph/store/storetest"
)

// varnishSettings cache whatever Varnish may by its own rules, though the request shows a key or a session: only the headers of answers keep them apart.
const varnishSettings = `vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "%s"; }
sub vcl_recv {
	if (req.method == "GET" || req.method == "HEAD") { return (hash); }
	return (pass);
}
`

// nginxSettings cache by the address alone, and ask whether a copy is still good.
const nginxSettings = `worker_processes 1;
daemon off;
pid %[1]s/pid;
error_log stderr;
events { worker_connections 512; }
http {
	access_log off;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/temp; fastcgi_temp_path %[1]s/fastcgi; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
	proxy_cache_path %[1]s/cache keys_zone=answers:8m use_temp_path=off;
	large_client_header_buffers 8 64k; proxy_buffer_size 128k; proxy_buffers 8 128k; proxy_busy_buffers_size 256k;
	server {
		listen 127.0.0.1:%[2]d;
		location / {
			proxy_pass http://127.0.0.1:%[3]s;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_cache answers;
			proxy_cache_key $scheme$host$request_uri;
			proxy_cache_revalidate on;
			add_header X-Proxy-Cache $upstream_cache_status always;
		}
	}
}
`

// newVarnish starts a Varnish before a server, and gives its address.
func newVarnish(t *testing.T, server string) string {
	t.Helper()
	varnishd, dir, port := proxyProgram(t, "TEST_VARNISHD", "varnishd"), proxyFolder(t), storetest.FreePort(t)
	vcl := filepath.Join(dir, "default.vcl")
	settle(t, vcl, fmt.Sprintf(varnishSettings, portOf(t, server)))
	return startProxy(t, dir, port, varnishd, "-F", "-j", "none", "-n", filepath.Join(dir, "work"), "-f", vcl, "-a", address(port), "-T", "none", "-s", "malloc,64m",
		"-p", "http_req_hdr_len=64k", "-p", "http_req_size=128k", "-p", "workspace_client=512k", "-p", "workspace_backend=512k", "-p", "thread_pool_min=10", "-p", "thread_pools=1")
}

// newNginx starts an nginx before a server, and gives its address.
func newNginx(t *testing.T, server string) string {
	t.Helper()
	nginx, dir, port := proxyProgram(t, "TEST_NGINX", "nginx"), proxyFolder(t), storetest.FreePort(t)
	conf := filepath.Join(dir, "nginx.conf")
	settle(t, conf, fmt.Sprintf(nginxSettings, dir, port, portOf(t, server)))
	return startProxy(t, dir, port, nginx, "-p", dir, "-c", conf, "-e", "stderr")
}

func address(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

func portOf(t *testing.T, server string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(server)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// proxyProgram is the path of a program that `make test` finds, or installs.
func proxyProgram(t *testing.T, variable, name string) string {
	t.Helper()
	if path := os.Getenv(variable); path != "" {
		return path
	}
	for _, known := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(known); err == nil {
			return path
		}
	}
	t.Skipf("%s is missing: install it, name it by %s, or run the tests by `make test`", name, variable)
	return ""
}

// proxyFolder is one that an unprivileged user may reach and write to; t.TempDir is not.
func proxyFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "carbongraph-proxy-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if who := nobody(); who != nil && who.Credential != nil {
		if err := os.Chown(dir, int(who.Credential.Uid), int(who.Credential.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func settle(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// startProxy starts a program as an unprivileged user, waits until it answers, and stops it when the test ends.
func startProxy(t *testing.T, dir string, port int, name string, args ...string) string {
	t.Helper()
	log := &safeBuffer{}
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = dir, log, log, servertest.Attributes()
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-done
		}
	})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if res, err := client.Get("http://" + address(port) + "/healthz"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return address(port)
			}
		}
		select {
		case <-done:
			t.Fatalf("%s ended: %s", name, log)
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("%s does not answer: %s", name, log)
		}
	}
}
