// The worker on a spot virtual machine in a scale set of one, for a GPU or for many clips. The machine can be taken away
// at any time: the worker hears of it half a minute before, by Scheduled Events, and gives its clip back.
param name string
param location string
param image string
param registryServer string
param identityId string
param identityClientId string
param clipsName string
param size string
param publicKey string
param operator string

resource clips 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: clipsName
}

var setUp = '''
#cloud-config
packages: [podman, curl, ca-certificates]
write_files:
  - path: /etc/systemd/system/dacha-yolo.service
    content: |
      [Unit]
      Description=Dachawatch YOLO worker
      After=network-online.target
      Wants=network-online.target
      [Service]
      ExecStartPre=/usr/local/bin/dacha-fetch
      ExecStart=/usr/bin/podman run --rm --name yolo --read-only --tmpfs /tmp:size=1g --cap-drop=all --security-opt=no-new-privileges --env-file /etc/dacha-yolo.env --network host IMAGE
      ExecStop=/usr/bin/podman stop --time 15 yolo
      Restart=always
      RestartSec=10
      [Install]
      WantedBy=multi-user.target
  - path: /usr/local/bin/dacha-fetch
    permissions: '0755'
    content: |
      #!/bin/sh
      # Fetches the image with the identity of this machine: a token of the identity, for one of the registry.
      set -eu
      token=$(curl -fsS -H Metadata:true --noproxy '*' "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=MANAGEMENT&client_id=CLIENT" | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
      refresh=$(curl -fsS "https://REGISTRY/oauth2/exchange" --data-urlencode grant_type=access_token --data-urlencode service=REGISTRY --data-urlencode "access_token=$token" | sed 's/.*"refresh_token":"\([^"]*\)".*/\1/')
      printf %s "$refresh" | podman login --username 00000000-0000-0000-0000-000000000000 --password-stdin REGISTRY
      exec podman pull IMAGE
  - path: /etc/dacha-yolo.env
    content: |
      DACHA_STORAGE_ACCOUNT_URL_BLOB=BLOBS
      DACHA_STORAGE_ACCOUNT_URL_QUEUE=QUEUES
      AZURE_CLIENT_ID=CLIENT
      DACHA_SCHEDULED_EVENTS=http://169.254.169.254
      DACHA_WORKER_IDLE_MS=86400000
runcmd:
  - [systemctl, enable, --now, dacha-yolo.service]
'''
var withImage = replace(replace(setUp, 'IMAGE', image), 'REGISTRY', registryServer)
var withIdentity = replace(replace(withImage, 'CLIENT', identityClientId), 'MANAGEMENT', environment().resourceManager)
var withStorage = replace(replace(withIdentity, 'BLOBS', clips.properties.primaryEndpoints.blob), 'QUEUES', clips.properties.primaryEndpoints.queue)

resource nothingIn 'Microsoft.Network/networkSecurityGroups@2024-01-01' = {
  name: '${name}-nothing-in'
  location: location
}

resource network 'Microsoft.Network/virtualNetworks@2024-01-01' = {
  name: '${name}-workers'
  location: location
  properties: {
    addressSpace: { addressPrefixes: ['10.20.0.0/24'] }
    subnets: [
      {
        name: 'workers'
        properties: { addressPrefix: '10.20.0.0/26', networkSecurityGroup: { id: nothingIn.id } }
      }
    ]
  }
}

resource machines 'Microsoft.Compute/virtualMachineScaleSets@2024-07-01' = {
  name: '${name}-yolo'
  location: location
  sku: { name: size, capacity: 1 }
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    orchestrationMode: 'Uniform'
    upgradePolicy: { mode: 'Manual' }
    overprovision: false
    spotRestorePolicy: { enabled: true, restoreTimeout: 'PT1H' }
    virtualMachineProfile: {
      priority: 'Spot'
      evictionPolicy: 'Delete'
      billingProfile: { maxPrice: -1 }
      scheduledEventsProfile: { terminateNotificationProfile: { enable: true, notBeforeTimeout: 'PT5M' } }
      osProfile: {
        computerNamePrefix: take(name, 9)
        adminUsername: operator
        customData: base64(withStorage)
        linuxConfiguration: {
          disablePasswordAuthentication: true
          ssh: { publicKeys: [{ path: '/home/${operator}/.ssh/authorized_keys', keyData: publicKey }] }
        }
      }
      storageProfile: {
        imageReference: { publisher: 'debian', offer: 'debian-13', sku: '13-gen2', version: 'latest' }
        osDisk: { createOption: 'FromImage', managedDisk: { storageAccountType: 'StandardSSD_LRS' } }
      }
      networkProfile: {
        networkInterfaceConfigurations: [
          {
            name: 'main'
            properties: {
              primary: true
              ipConfigurations: [
                {
                  name: 'main'
                  properties: {
                    subnet: { id: network.properties.subnets[0].id }
                    // Only for what the machine asks for itself.
                    publicIPAddressConfiguration: { name: 'out' }
                  }
                }
              ]
            }
          }
        ]
      }
    }
  }
}
