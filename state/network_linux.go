package state

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// remote are the magic numbers of file systems on which flock and shared
// memory maps cannot be trusted (statfs(2)).
var remote = map[uint32]string{
	0x6969: "NFS", 0x517b: "SMB", 0xff534d42: "CIFS", 0xfe534d42: "SMB2", 0x65735546: "FUSE",
	0x00c36400: "Ceph", 0x5346414f: "AFS", 0x01021997: "9P", 0x0bd00bd0: "Lustre", 0x47504653: "GPFS", 0x7461636f: "OCFS2",
}

func refuseNetwork(folder string) error {
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil {
		return fmt.Errorf("ask for the file system: %w", err)
	}
	return refuseMagic(uint32(st.Type))
}

func refuseMagic(magic uint32) error {
	if name, ok := remote[magic]; ok {
		return fmt.Errorf("%s: %w", name, ErrNetworkFilesystem)
	}
	return nil
}
